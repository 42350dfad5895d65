namespace Kvm.Colo.Net.Tests;

public sealed class AnnounceFrameTests
{
    [Fact]
    public void Write_IsAReverseArpRequest()
    {
        byte[] frame = new byte[AnnounceFrame.SizeBytes];
        frame.AsSpan().Fill(0xEE);
        AnnounceFrame.Write(frame, new MacAddress(0x5254_0011_2233));
        const string expected =
            "000000000000000000000000" // header of the tap
            + "FFFFFFFFFFFF" + "525400112233" + "8035"
            + "0001" + "0800" + "06" + "04" + "0003"
            + "525400112233" + "00000000" + "525400112233" + "00000000"
            + "000000000000000000000000000000000000";
        Assert.Equal(expected, Convert.ToHexString(frame));
    }
}
