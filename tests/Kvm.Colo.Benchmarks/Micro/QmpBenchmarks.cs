using System.Net.Sockets;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Kvm.Colo.Benchmarks.Comparison;

namespace Kvm.Colo.Benchmarks.Micro;

/// <summary>A command to a running colo-vm and its reply; the limit is a line to a thread behind a UNIX socket and back.</summary>
[MemoryDiagnoser]
public class QmpBenchmarks
{
    private readonly byte[] _line = new byte[64];
    private string _folder = "";
    private VmmProcess _vmm = null!;
    private Socket _near = null!;
    private Socket _far = null!;
    private Thread _echo = null!;

    [GlobalSetup]
    public void Setup()
    {
        _folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"colo-bench-{Guid.NewGuid():N}")).FullName;
        Tools tools = new(Tools.FindRoot());
        VmmFiles files = new(_folder, "qmp");
        string[] arguments = ["run", "--kernel", tools.Image("idle.elf"), "--qmp", $"unix:{files.Qmp}", "--serial", $"unix:{files.Serial}"];
        _vmm = new VmmProcess(tools.ColoVm, arguments, new Dictionary<string, string>(), files);
        _vmm.Connect(Pace.Native.StepDeadline);
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        UnixDomainSocketEndPoint address = new(Path.Combine(_folder, "echo"));
        listener.Bind(address);
        listener.Listen(1);
        _near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _near.Connect(address);
        _far = listener.Accept();
        _echo = new Thread(Echo) { Name = "echo", IsBackground = true };
        _echo.Start();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _near.Dispose();
        _echo.Join();
        _far.Dispose();
        _vmm.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Benchmark(Baseline = true)]
    public int SocketEcho()
    {
        _near.Send(_line);
        return _near.Receive(_line);
    }

    [Benchmark]
    public JsonElement QueryStatus() => _vmm.Qmp.Execute("query-status");

    [Benchmark]
    public JsonElement QueryColoStatistics() => _vmm.Qmp.Execute("query-colo-statistics");

    private void Echo()
    {
        byte[] line = new byte[_line.Length];
        while (_far.Receive(line) is > 0 and int count)
            _far.Send(line.AsSpan(0, count));
    }
}
