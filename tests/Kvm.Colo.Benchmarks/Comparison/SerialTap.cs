using System.Net.Sockets;
using System.Text;

namespace Kvm.Colo.Benchmarks.Comparison;

/// <summary>Listens on a UNIX socket for a guest's serial line and stamps what arrives. Its thread writes, anyone reads.</summary>
internal sealed class SerialTap : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<(double TimeUs, string Text)> _chunks = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Thread _thread;
    private Socket? _guest;

    public SerialTap(string path)
    {
        Path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        _thread = new Thread(Read) { Name = "serial-tap", IsBackground = true };
        _thread.Start();
    }

    public string Path { get; }

    /// <summary>Whole lines and when their end arrived, of an interval.</summary>
    public List<(double TimeUs, string Text)> Lines(double fromUs, double toUs)
    {
        List<(double, string)> lines = [];
        StringBuilder line = new();
        lock (_lock)
        {
            foreach ((double time, string text) in _chunks)
            {
                foreach (char c in text)
                {
                    if (c != '\n')
                    {
                        line.Append(c);
                        continue;
                    }

                    if (time >= fromUs && time <= toUs)
                        lines.Add((time, line.ToString().TrimEnd('\r')));
                    line.Clear();
                }
            }
        }

        return lines;
    }

    /// <summary>When the first byte at or after <paramref name="fromUs"/> arrived, or null.</summary>
    public double? FirstByteUs(double fromUs = 0)
    {
        lock (_lock)
        {
            foreach ((double time, _) in _chunks)
            {
                if (time >= fromUs)
                    return time;
            }
        }

        return null;
    }

    public void Dispose()
    {
        _guest?.Dispose();
        _listener.Dispose();
        _thread.Join();
    }

    private void Read()
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            _guest = _listener.Accept();
            while (_guest.Receive(buffer) is > 0 and int count)
            {
                double now = HostClock.NowUs;
                lock (_lock)
                    _chunks.Add((now, Encoding.Latin1.GetString(buffer, 0, count)));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The guest or the measurement has ended.
        }
    }
}
