using BenchmarkDotNet.Attributes;
using Kvm.Colo.Devices;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>From an exit's address to a device that stores one byte; the limit is storing the byte.</summary>
[MemoryDiagnoser]
public class DispatchBenchmarks
{
    private const int Devices = 32;
    private const ulong Window = 0x200;
    private const ulong FirstWindow = 0xD000_0000;

    private readonly Register _register = new();
    private readonly byte[] _data = [1];
    private PortBus _ports = null!;
    private MmioBus _mmio = null!;

    [GlobalSetup]
    public void Setup()
    {
        _ports = new PortBus([new PortRange(0x3F8, 8, "register", _register)], NullLogger.Instance, TimeProvider.System);
        _mmio = new MmioBus(
            [.. Enumerable.Range(0, Devices).Select(i => new MmioRange(FirstWindow + ((ulong)i * Window), Window, "register", _register))],
            NullLogger.Instance,
            TimeProvider.System);
    }

    [Benchmark(Baseline = true)]
    public void Store() => _register.Write((ulong)0, _data);

    [Benchmark]
    public void PortWrite() => _ports.Write(0x3F9, _data);

    [Benchmark]
    public void PortWriteToNobody() => _ports.Write(0x80, _data);

    [Benchmark]
    public void MmioWrite() => _mmio.Write(FirstWindow + (21 * Window) + 4, _data);

    private sealed class Register : IPortDevice, IMmioDevice
    {
        private byte _value;

        public void Read(ushort offset, Span<byte> data) => data.Fill(_value);

        public void Read(ulong offset, Span<byte> data) => data.Fill(_value);

        public void Write(ushort offset, ReadOnlySpan<byte> data) => _value = data[0];

        public void Write(ulong offset, ReadOnlySpan<byte> data) => _value = data[0];
    }
}
