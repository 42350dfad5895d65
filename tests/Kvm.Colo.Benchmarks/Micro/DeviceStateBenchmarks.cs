using BenchmarkDotNet.Attributes;
using Kvm.Colo.Benchmarks.Pair;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Kvm;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Control;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Stream;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>The whole device state of a machine with one vCPU, to the wire form and back; the limit is memcpy of the blob.</summary>
[MemoryDiagnoser]
public class DeviceStateBenchmarks
{
    private static readonly NoPages s_noPages = new();

    private readonly ChannelBuffer _buffer = new();
    private readonly ChannelBuffer _delta = new();
    private readonly StreamDigest _digest = new(Pages.Seed);
    private readonly byte[] _target = new byte[1 << 20];
    private KvmSystem _kvm = null!;
    private VirtualMachine _machine = null!;
    private DeviceSectionWriter _writer = null!;
    private DeviceSectionReader _reader = null!;
    private byte[] _blob = [];

    [GlobalSetup]
    public void Setup()
    {
        _kvm = KvmSystem.Open();
        string image = Path.Combine(Comparison.Tools.FindRoot(), "out", "images", "idle.elf");
        MachineConfig config = new() { MemoryBytes = 64ul << 20, Boot = BootSource.Read(image, null, ""), Serial = new NullSerialBackend() };
        _machine = VirtualMachine.Create(config, _kvm, Silent.Instance, NullLogger.Instance, TimeProvider.System);
        _machine.Start();
        EmptyCut();
        _writer = new DeviceSectionWriter(_buffer, _machine.StateOwners);
        _reader = new DeviceSectionReader(_machine.StateOwners);
        Save();
        _blob = _buffer.WrittenSpan.ToArray();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _machine.Dispose();
        _kvm.Dispose();
        _buffer.Dispose();
        _delta.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Memcpy() => _blob.CopyTo(_target, 0);

    [Benchmark]
    public int Save()
    {
        _buffer.Reset();
        _digest.Reset();
        _writer.WriteEpoch(_digest, 1, 0);
        return _buffer.Length;
    }

    /// <summary>A whole pause that captures no RAM: park, quiesce, save every device and vCPU, resume.</summary>
    [Benchmark]
    public TimeSpan EmptyCut() => _machine.Cut(s_noPages, RunState.Colo);

    [Benchmark]
    public void Load()
    {
        _digest.Reset();
        if (_reader.ReadEpoch(_blob, _digest, 1, 0) != FrameStatus.Ok)
            throw new InvalidOperationException(_reader.Reason);
    }

    [Benchmark]
    public int DeltaOfEqual()
    {
        _delta.Reset();
        BlobDelta.Encode(_blob, _blob, _delta);
        return _delta.Length;
    }

    private sealed class NoPages : IPauseWork
    {
        public void OnPaused()
        {
        }
    }
}
