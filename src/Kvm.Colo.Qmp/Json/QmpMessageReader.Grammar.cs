using System.Collections;

namespace Kvm.Colo.Qmp.Json;

/// <summary>
/// Where values begin and end. As in QEMU a value ends when its braces and brackets balance, or one closes too many; what is
/// wrong inside is told once, then.
/// </summary>
internal sealed partial class QmpMessageReader
{
    private const char StringToken = 's';
    private const char ScalarToken = 'v';

    private enum Expect
    {
        Value,
        ValueOrEnd,
        KeyOrEnd,
        Key,
        Colon,
        SeparatorOrEnd,
    }

    private readonly BitArray _isObject = new(limits.MaxDepth);
    private int _depth;
    private int _braces;
    private int _brackets;
    private Expect _expect;
    private string? _grammarError;
    private bool _isComplete;

    private void ResetGrammar()
    {
        _depth = 0;
        _braces = 0;
        _brackets = 0;
        _expect = Expect.Value;
        _grammarError = null;
    }

    private void Fail(string error) => _grammarError ??= error;

    private QmpInputStatus EndToken(char token)
    {
        _braces += token switch { '{' => 1, '}' => -1, _ => 0 };
        _brackets += token switch { '[' => 1, ']' => -1, _ => 0 };
        if (++_tokenCount > limits.MaxTokens)
            return Overflow("JSON token count limit exceeded");
        if (_braces + _brackets > limits.MaxDepth)
            return Overflow("JSON nesting depth limit exceeded");
        if (_grammarError is null)
            Parse(token);
        if (_braces >= 0 && _brackets >= 0 && (_braces > 0 || _brackets > 0))
            return QmpInputStatus.NeedMoreData;
        if (_grammarError is null)
            return QmpInputStatus.Message;
        Error = "JSON parse error, " + _grammarError;
        return QmpInputStatus.Error;
    }

    private void Parse(char token)
    {
        bool isValue = token is '{' or '[' or StringToken or ScalarToken;
        switch (_expect)
        {
            case Expect.Colon when token == ':':
                _expect = Expect.Value;
                return;
            case Expect.Colon:
                Fail("missing : in object pair");
                return;
            case Expect.SeparatorOrEnd when token == ',':
                _expect = _isObject[_depth - 1] ? Expect.Key : Expect.Value;
                return;
            case Expect.SeparatorOrEnd or Expect.ValueOrEnd or Expect.KeyOrEnd when token is '}' or ']' && Closes(token):
                _depth--;
                _expect = Expect.SeparatorOrEnd;
                return;
            case Expect.SeparatorOrEnd:
                Fail(_isObject[_depth - 1] ? "expected separator in dict" : "expected separator in list");
                return;
            case Expect.Key or Expect.KeyOrEnd when token == StringToken:
                _expect = Expect.Colon;
                return;
            case Expect.Key or Expect.KeyOrEnd when isValue:
                Fail("key is not a string in object");
                return;
            case Expect.Value or Expect.ValueOrEnd when isValue:
                Begin(token);
                return;
            default:
                Fail("expecting value");
                return;
        }
    }

    private bool Closes(char token) => _depth > 0 && _isObject[_depth - 1] == (token == '}');

    private void Begin(char token)
    {
        _expect = Expect.SeparatorOrEnd;
        if (token is not ('{' or '['))
            return;
        _isObject[_depth++] = token == '{';
        _expect = token == '{' ? Expect.KeyOrEnd : Expect.ValueOrEnd;
    }
}
