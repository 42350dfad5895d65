namespace Kvm.Colo.HostTests;

/// <summary>Starts the primary on host 1 and cuts that host's power when a file appears in the folder shared with the hosts.</summary>
internal sealed class CutOnSignal : IDisposable
{
    private readonly Testbed _testbed;
    private readonly ManualResetEventSlim _end = new(initialState: false);
    private readonly Thread _thread;

    public CutOnSignal(Testbed testbed)
    {
        _testbed = testbed;
        Mark = Path.Combine(testbed.Exchange, "cut-now");
        testbed.Begin(1, "tests/Kvm.Colo.HostTests/scenarios/primary-here");
        _thread = new Thread(Watch) { Name = "power-cut" };
        _thread.Start();
    }

    /// <summary>The file to wait for, under its path inside the hosts.</summary>
    public string Mark { get; }

    public bool WasCut { get; private set; }

    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    private void Watch()
    {
        while (!_end.Wait(TimeSpan.FromMilliseconds(200)))
        {
            if (!File.Exists(Mark))
                continue;
            _testbed.Cut(1);
            WasCut = true;
            return;
        }
    }
}
