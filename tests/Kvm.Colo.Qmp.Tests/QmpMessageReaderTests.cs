using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Kvm.Colo.Qmp.Json;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>The lexer alone: how input is cut must not matter, and nothing may surprise it.</summary>
public sealed class QmpMessageReaderTests
{
    private static readonly string[] s_pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\\", "\\u00e9", "\\ud83d", "true", "nul", "-", "0", "1", ".5", "e+", "E7", " ", "\n",
        "\t", "\"execute\":\"x\"", "{\"a\":[1,2]}", "é", "\u0001", "%", "a", "\\'",
    ];

    [Fact]
    public void AnyCut_GivesTheSameMessagesAndErrors()
    {
        Gen<byte[]> text = Gen.Elements(s_pieces).ListOf().Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces)));
        Prop.ForAll(text.ToArbitrary(), Gen.Choose(1, 7).ToArbitrary(), (bytes, step) =>
        {
            List<string> whole = ReadAll(bytes, bytes.Length + 1);
            Assert.Equal(whole, ReadAll(bytes, step));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyBytes_GiveValidJsonOrAnError_InBoundedMemory()
    {
        var limits = new QmpLimits { MaxMessageBytes = 256, MaxTokens = 32, MaxDepth = 8 };
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        {
            var reader = new QmpMessageReader(limits);
            ReadOnlySpan<byte> rest = bytes;
            while (reader.Read(ref rest) is var status && status != QmpInputStatus.NeedMoreData)
            {
                if (status == QmpInputStatus.Message)
                    JsonDocument.Parse(reader.Message,
                        QmpText.DocumentOptions with { AllowDuplicateProperties = true }).Dispose();
                else
                    Assert.NotEmpty(reader.Error);
            }
            Assert.InRange(reader.BufferedBytes, 0, 1024);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void EveryMessageThatPasses_IsJson()
    {
        Gen<byte[]> text = Gen.Elements(s_pieces).ListOf().Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces)));
        Prop.ForAll(text.ToArbitrary(), bytes =>
        {
            foreach (string message in ReadAll(bytes, bytes.Length + 1).Where(each => !each.StartsWith('!')))
                JsonDocument.Parse(message, QmpText.DocumentOptions with { AllowDuplicateProperties = true }).Dispose();
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("{ \"a\" : [ 1 , -2.5e+3 , true ] }", "{\"a\":[1,-2.5e+3,true]}")]
    [InlineData("'it''s'", "\"it\" \"s\"")]
    [InlineData("'\"' '\\'' \"\\'\"", "\"\\\"\" \"'\" \"'\"")]
    [InlineData("1 2", "1 2")]
    [InlineData("[]{}", "[] {}")]
    [InlineData("\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\"")]
    public void Values_AreCutAndNormalised(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', ReadAll(Encoding.UTF8.GetBytes(text + " "), 1)));

    [Theory]
    [InlineData("01}", "!JSON parse error, stray '01'|!JSON parse error, expecting value")]
    [InlineData("-}", "!JSON parse error, stray '-}'")]
    [InlineData("1.}", "!JSON parse error, stray '1.}'")]
    [InlineData("\"a\tb\"}", "!JSON parse error, stray '\"a\t'|!JSON parse error, expecting value")]
    [InlineData("tru{}", "!JSON parse error, invalid keyword 'tru'|{}")]
    public void LexicalErrors_AreToldAsQemuTellsThem(string text, string expected) =>
        Assert.Equal(expected,
            string.Join('|', ReadAll(Encoding.UTF8.GetBytes(text), 1)).Replace("\\t", "\t", StringComparison.Ordinal));

    [Fact]
    public void InvalidUtf8_IsAnError()
    {
        Assert.Equal(["!JSON parse error, invalid UTF-8 sequence in string"], ReadAll([(byte)'"', 0xC0, 0x80, (byte)'"'], 1));
        Assert.Equal(["!JSON parse error, stray '\uFFFD'"], ReadAll([0xC3], 1));
    }

    private static List<string> ReadAll(byte[] bytes, int step)
    {
        var reader = new QmpMessageReader(QmpLimits.Default);
        var found = new List<string>();
        for (int at = 0; at < bytes.Length; at += step)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(at, Math.Min(step, bytes.Length - at));
            while (reader.Read(ref rest) is var status && status != QmpInputStatus.NeedMoreData)
                found.Add(status == QmpInputStatus.Message ? Encoding.UTF8.GetString(reader.Message.Span) : "!" + reader.Error);
        }
        return found;
    }
}
