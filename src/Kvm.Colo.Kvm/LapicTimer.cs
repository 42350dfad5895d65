using System.Buffers.Binary;

namespace Kvm.Colo.Kvm;

/// <summary>
/// The timer in a local APIC's register page (KVM_GET_LAPIC), which KVM takes up at load from its current count. One tick of KVM's APIC bus
/// is a nanosecond. Source: Intel SDM volume 3, APIC timer; Documentation/virt/kvm/api.rst, KVM_CAP_X86_APIC_BUS_CYCLES_NS.
/// </summary>
internal static class LapicTimer
{
    private const int Requests = 0x200;
    private const int Lvt = 0x320;
    private const int InitialCount = 0x380;
    private const int CurrentCount = 0x390;
    private const int DivideConfiguration = 0x3E0;
    private const int RegisterBytes = 16;
    private const uint Masked = 1 << 16;
    private const uint Periodic = 1 << 17;
    private const uint TscDeadline = 1 << 18;

    /// <summary>
    /// Takes time off the timer. When it is over by then, its interrupt is requested, once for all periods that have ended (as KVM does for
    /// a vCPU that does not run); a periodic one stands where it would stand. A deadline in the TSC needs none of this.
    /// </summary>
    /// <param name="registers">The register page, changed in place.</param>
    /// <param name="nanoseconds">What has passed since it was read.</param>
    public static void RunOn(Span<byte> registers, ulong nanoseconds)
    {
        uint left = Read(registers, CurrentCount);
        uint entry = Read(registers, Lvt);
        if (left == 0 || (entry & TscDeadline) != 0)
            return;
        ulong passed = nanoseconds >> DivideShift(Read(registers, DivideConfiguration));
        if (passed < left)
        {
            Write(registers, CurrentCount, left - (uint)passed);
            return;
        }

        uint period = Read(registers, InitialCount);
        bool goesOn = (entry & Periodic) != 0 && period != 0;
        Write(registers, CurrentCount, goesOn ? period - (uint)((passed - left) % period) : 0);
        if ((entry & Masked) == 0)
            Request(registers, (byte)entry);
    }

    /// <summary>Where an interrupt is requested in the register page: the offset of its word, and the bit in it.</summary>
    public static (int At, uint Bit) RequestOf(byte vector) => (Requests + (vector / 32 * RegisterBytes), 1u << (vector % 32));

    /// <summary>The interrupt that the timer requests.</summary>
    public static byte Vector(ReadOnlySpan<byte> registers) => (byte)Read(registers, Lvt);

    private static void Request(Span<byte> registers, byte vector)
    {
        (int at, uint bit) = RequestOf(vector);
        Write(registers, at, Read(registers, at) | bit);
    }

    // Bits 0, 1 and 3: 0 divides by 2, each further step by twice as much, 7 by 1.
    private static int DivideShift(uint configuration) => (int)(((configuration & 3) | (configuration >> 1 & 4)) + 1) & 7;

    private static uint Read(ReadOnlySpan<byte> registers, int at) => BinaryPrimitives.ReadUInt32LittleEndian(registers[at..]);

    private static void Write(Span<byte> registers, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(registers[at..], value);
}
