using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Kvm.Colo.Qmp.Json;

/// <summary>
/// Cuts a byte stream into JSON values: an incremental lexer for JSON with QEMU's extensions (single-quoted strings, <c>\'</c>),
/// which writes each value down as plain compact JSON. Owned by one monitor's reading thread. Memory is bounded by
/// <see cref="QmpLimits"/>; after a limit is hit, input is thrown away up to the end of the line.
/// </summary>
internal sealed partial class QmpMessageReader(QmpLimits limits)
{
    private enum Lexer
    {
        Start,
        String,
        Escape,
        Number,
        Keyword,
        Recovery,
        SkipLine,
    }

    private static readonly SearchValues<byte> s_lineEnds = SearchValues.Create([(byte)'\n', 0xFE, 0xFF]);

    private static readonly SearchValues<byte> s_hexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private byte[] _buffer = new byte[1024];
    private int _length;
    private int _tokenStart;
    private int _tokenCount;
    private byte _quote;
    private Lexer _state;

    /// <summary>The complete value as compact JSON; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Message => _buffer.AsMemory(0, _length);

    /// <summary>What was wrong, as the client is told.</summary>
    public string Error { get; private set; } = "";

    /// <summary>Bytes held for a value that is not complete.</summary>
    public int BufferedBytes => _buffer.Length;

    /// <summary>Consumes bytes up to the end of the next value or error.</summary>
    public QmpInputStatus Read(ref ReadOnlySpan<byte> source)
    {
        if (_isComplete)
            Reset();
        while (!source.IsEmpty)
        {
            if (_state == Lexer.SkipLine)
            {
                int end = source.IndexOfAny(s_lineEnds);
                if (end < 0)
                {
                    source = [];
                    break;
                }
                source = source[end..];
                _state = Lexer.Start;
            }
            QmpInputStatus status = Accept(source[0], out bool consumed);
            if (consumed)
                source = source[1..];
            if (status != QmpInputStatus.NeedMoreData)
            {
                _isComplete = true;
                return status;
            }
        }
        return QmpInputStatus.NeedMoreData;
    }

    private QmpInputStatus Accept(byte next, out bool consumed)
    {
        consumed = true;
        switch (_state)
        {
            case Lexer.Start:
                return AcceptStart(next);
            case Lexer.String:
                return AcceptInString(next);
            case Lexer.Escape:
                return AcceptEscape(next);
            case Lexer.Number:
                return AcceptInNumber(next, out consumed);
            case Lexer.Keyword:
                if (next is >= (byte)'a' and <= (byte)'z')
                    return Append(next);
                consumed = false;
                return EndKeyword();
            default:
                return AcceptInRecovery(next, out consumed);
        }
    }

    private QmpInputStatus AcceptStart(byte next)
    {
        _tokenStart = _length;
        switch (next)
        {
            case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                return QmpInputStatus.NeedMoreData;
            case (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)':' or (byte)',':
                return Append(next) is QmpInputStatus.Error ? QmpInputStatus.Error : EndToken((char)next);
            case (byte)'"' or (byte)'\'':
                _quote = next;
                _state = Lexer.String;
                return Append((byte)'"');
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                _state = Lexer.Number;
                _number = next switch
                {
                    (byte)'-' => Number.Sign,
                    (byte)'0' => Number.Zero,
                    _ => Number.Digits,
                };
                return Append(next);
            case >= (byte)'a' and <= (byte)'z':
                _state = Lexer.Keyword;
                return Append(next);
            default:
                return Stray(next);
        }
    }

    private QmpInputStatus AcceptInString(byte next)
    {
        if (next < 0x20 || next >= 0xFE)
            return Stray(next);
        if (next == '\\')
        {
            _state = Lexer.Escape;
            return QmpInputStatus.NeedMoreData;
        }
        if (next == _quote)
        {
            _state = Lexer.Start;
            if (Append((byte)'"') is QmpInputStatus.Error)
                return QmpInputStatus.Error;
            CheckString(_buffer.AsSpan((_tokenStart + 1)..(_length - 1)));
            return EndToken(StringToken);
        }
        return next == '"' && Append((byte)'\\') is QmpInputStatus.Error ? QmpInputStatus.Error : Append(next);
    }

    private QmpInputStatus AcceptEscape(byte next)
    {
        if (next < 0x20 || next >= 0xFE)
            return Stray(next);
        _state = Lexer.String;
        if (next == '\'')
            return Append(next);
        if (!"\"\\/bfnrtu"u8.Contains(next))
        {
            Fail("invalid escape sequence in string");
            return QmpInputStatus.NeedMoreData;
        }
        return Append((byte)'\\') is QmpInputStatus.Error ? QmpInputStatus.Error : Append(next);
    }

    private QmpInputStatus EndKeyword()
    {
        _state = Lexer.Start;
        ReadOnlySpan<byte> word = _buffer.AsSpan(_tokenStart.._length);
        if (!word.SequenceEqual("true"u8) && !word.SequenceEqual("false"u8) && !word.SequenceEqual("null"u8))
            Fail($"invalid keyword '{Excerpt(word)}'");
        return EndToken(ScalarToken);
    }

    /// <summary>After a lexical error: the rest of the broken token is passed over.</summary>
    private QmpInputStatus AcceptInRecovery(byte next, out bool consumed)
    {
        bool ends = next < 0x20 || next >= 0xFE
            || next is (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)':' or (byte)',';
        consumed = !ends;
        if (ends)
            _state = Lexer.Start;
        return QmpInputStatus.NeedMoreData;
    }

    private QmpInputStatus Append(byte value)
    {
        if (_length == limits.MaxMessageBytes)
            return Overflow("JSON token size limit exceeded");
        if (_length == _buffer.Length)
            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, limits.MaxMessageBytes));
        _buffer[_length++] = value;
        return QmpInputStatus.NeedMoreData;
    }

    private QmpInputStatus Stray(byte value)
    {
        var text = new StringBuilder(Excerpt(_buffer.AsSpan(_tokenStart.._length)));
        text.Append(value < 0x80 ? (char)value : '\uFFFD');
        Error = $"JSON parse error, stray '{text}'";
        _state = Lexer.Recovery;
        return QmpInputStatus.Error;
    }

    private QmpInputStatus Overflow(string error)
    {
        Error = error;
        _state = Lexer.SkipLine;
        return QmpInputStatus.Error;
    }

    private static string Excerpt(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text.Length > 64 ? text[..64] : text);

    /// <summary>
    /// UTF-8, and <c>\u</c> escapes that make characters: a high surrogate is followed by a low one, and only so.
    /// </summary>
    private void CheckString(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
            Fail("invalid UTF-8 sequence in string");
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
                continue;
            if (text[++i] != 'u')
                continue;
            int unit = UnitAt(text[(i + 1)..]);
            bool isHigh = unit is >= 0xD800 and <= 0xDBFF;
            bool isPair = isHigh && text[(i + 5)..].StartsWith("\\u"u8) && UnitAt(text[(i + 7)..]) is >= 0xDC00 and <= 0xDFFF;
            if (unit < 0 || (unit is >= 0xD800 and <= 0xDFFF && !isPair))
            {
                Fail($"\\u{Excerpt(text.Slice(i + 1, Math.Min(4, text.Length - i - 1)))} is not a valid Unicode character");
                return;
            }
            i += isPair ? 10 : 4;
        }
    }

    /// <summary>Four hexadecimal digits as a number, or -1.</summary>
    private static int UnitAt(ReadOnlySpan<byte> text) =>
        text.Length >= 4 && !text[..4].ContainsAnyExcept(s_hexDigits)
            ? Convert.ToInt32(Encoding.ASCII.GetString(text[..4]), 16) : -1;

    private void Reset()
    {
        _isComplete = false;
        _length = 0;
        _tokenStart = 0;
        _tokenCount = 0;
        if (_buffer.Length > 64 * 1024)
            _buffer = new byte[1024];
        ResetGrammar();
    }
}
