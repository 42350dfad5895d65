namespace Kvm.Colo.Qmp.Json;

/// <summary>Numbers, as RFC 8259 section 6 writes them.</summary>
internal sealed partial class QmpMessageReader
{
    private enum Number
    {
        Sign,
        Zero,
        Digits,
        Dot,
        Fraction,
        Exponent,
        ExponentSign,
        ExponentDigits,
    }

    private Number _number;

    private QmpInputStatus AcceptInNumber(byte next, out bool consumed)
    {
        consumed = true;
        bool isDigit = next is >= (byte)'0' and <= (byte)'9';
        Number? after = (_number, next) switch
        {
            (Number.Sign, (byte)'0') => Number.Zero,
            (Number.Sign or Number.Digits, _) when isDigit => Number.Digits,
            (Number.Zero or Number.Digits, (byte)'.') => Number.Dot,
            (Number.Dot or Number.Fraction, _) when isDigit => Number.Fraction,
            (Number.Zero or Number.Digits or Number.Fraction, (byte)'e' or (byte)'E') => Number.Exponent,
            (Number.Exponent, (byte)'+' or (byte)'-') => Number.ExponentSign,
            (Number.Exponent or Number.ExponentSign or Number.ExponentDigits, _) when isDigit => Number.ExponentDigits,
            _ => null,
        };
        if (after is { } state)
        {
            _number = state;
            return Append(next);
        }

        bool isWhole = _number is Number.Zero or Number.Digits or Number.Fraction or Number.ExponentDigits;
        if (!isWhole || isDigit)
            return Stray(next);
        consumed = false;
        _state = Lexer.Start;
        return EndToken(ScalarToken);
    }
}
