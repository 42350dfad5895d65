using System.Buffers.Binary;
using Xunit;

namespace Kvm.Colo.Kvm.Tests;

public sealed class LapicTimerTests
{
    private const int Request = 0x220; // vectors 64 to 95
    private const int Lvt = 0x320;
    private const int InitialCount = 0x380;
    private const int CurrentCount = 0x390;
    private const int Divide = 0x3E0;
    private const uint Vector = 0x41;
    private const uint Masked = 1 << 16;
    private const uint Periodic = 1 << 17;
    private const uint Deadline = 1 << 18;

    [Theory]
    [InlineData(Vector, 0xBu, 1000u, 400ul, 600u, false)] // by 1
    [InlineData(Vector, 0x3u, 1000u, 1600ul, 900u, false)] // by 16
    [InlineData(Vector, 0x0u, 1000u, 400ul, 800u, false)] // by 2
    [InlineData(Vector, 0xAu, 1000u, 128_000ul, 0u, true)] // by 128, over
    [InlineData(Vector, 0xAu, 1001u, 128_000ul, 1u, false)]
    [InlineData(Vector | Periodic, 0xBu, 1000u, 1000ul, 5000u, true)]
    [InlineData(Vector | Periodic, 0xBu, 1000u, 1700ul, 4300u, true)]
    [InlineData(Vector | Periodic, 0xBu, 1000u, 11_001ul, 4999u, true)] // two whole periods on
    [InlineData(Vector | Periodic | Masked, 0xBu, 1000u, 1700ul, 4300u, false)]
    [InlineData(Vector | Deadline, 0xBu, 1000u, 5000ul, 1000u, false)]
    [InlineData(Vector | Periodic, 0xBu, 0u, 5000ul, 0u, false)] // does not run
    [InlineData(Vector | Periodic, 0xBu, 1000u, ulong.MaxValue, 4385u, true)]
    public void TimePasses(uint lvt, uint divide, uint count, ulong nanoseconds, uint left, bool asks)
    {
        byte[] registers = new byte[1024];
        Write(registers, Lvt, lvt);
        Write(registers, InitialCount, 5000);
        Write(registers, CurrentCount, count);
        Write(registers, Divide, divide);
        byte[] expected = [.. registers];
        Write(expected, CurrentCount, left);
        Write(expected, Request, asks ? 2u : 0);

        LapicTimer.RunOn(registers, nanoseconds);

        Assert.Equal(expected, registers);
    }

    [Fact]
    public void RequestsOfOthers_Stay()
    {
        byte[] registers = new byte[1024];
        Write(registers, Lvt, 0xFF);
        Write(registers, CurrentCount, 1);
        Write(registers, Divide, 0xB);
        Write(registers, 0x270, 1);

        LapicTimer.RunOn(registers, 10);

        Assert.Equal(0x8000_0001, BinaryPrimitives.ReadUInt32LittleEndian(registers.AsSpan(0x270)));
    }

    private static void Write(byte[] registers, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(registers.AsSpan(at), value);
}
