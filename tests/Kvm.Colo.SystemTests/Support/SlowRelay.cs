using System.Diagnostics;
using System.Net.Sockets;
using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.SystemTests.Support;

/// <summary>
/// A link between a primary and a secondary with a set bandwidth towards the secondary and much room on the way, as a long line has it:
/// what was sent is not yet there. What comes back is not delayed.
/// </summary>
internal sealed class SlowRelay : IDisposable
{
    private const int PieceBytes = 16 * 1024;
    private const int BytesOnTheWay = 16 << 20;

    private static readonly TimeSpan s_mostMadeUp = TimeSpan.FromMilliseconds(-50);

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-relay-").FullName;
    private readonly ManualResetEventSlim _faster = new(false);
    private readonly List<Socket> _sockets = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Thread _acceptor;
    private readonly string _target;
    private long _bytesPerSecond;

    public SlowRelay(MigrationUri target)
    {
        _target = target.Target;
        Uri = new MigrationUri(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        _listener.Bind(new UnixDomainSocketEndPoint(Uri.Target));
        _listener.Listen(8);
        _acceptor = Start("relay", Accept);
    }

    /// <summary>Where the primary connects to.</summary>
    public MigrationUri Uri { get; }

    /// <summary>0 for as much as there is.</summary>
    public long BytesPerSecond
    {
        get => Interlocked.Read(ref _bytesPerSecond);
        set
        {
            Interlocked.Exchange(ref _bytesPerSecond, value);
            if (value == 0)
                _faster.Set();
            else
                _faster.Reset();
        }
    }

    /// <summary>The line is dead.</summary>
    public void HangUp()
    {
        BytesPerSecond = 0;
        _listener.Dispose();
        lock (_sockets)
        {
            foreach (Socket socket in _sockets)
                socket.Dispose();
        }
    }

    public void Dispose()
    {
        HangUp();
        _acceptor.Join();
        _faster.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Thread Start(string name, Action body)
    {
        Thread thread = new(() =>
        {
            try
            {
                body();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // An end hung up; the other hears of it from the one who passes on.
            }
        })
        { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Accept()
    {
        List<Thread> threads = [];
        try
        {
            while (true)
            {
                Socket near = Keep(_listener.Accept());
                Socket far = Keep(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
                far.Connect(new UnixDomainSocketEndPoint(_target));
                ByteRing onTheWay = new(BytesOnTheWay);
                threads.Add(Start("relay-in", () => Take(near, onTheWay)));
                threads.Add(Start("relay-out", () => Bring(onTheWay, far)));
                threads.Add(Start("relay-back", () => Pass(far, near)));
            }
        }
        finally
        {
            foreach (Thread thread in threads)
                thread.Join();
        }
    }

    private Socket Keep(Socket socket)
    {
        lock (_sockets)
            _sockets.Add(socket);
        return socket;
    }

    private static void Take(Socket near, ByteRing onTheWay)
    {
        try
        {
            byte[] buffer = new byte[PieceBytes];
            while (near.Receive(buffer) is > 0 and int count)
                onTheWay.Write(buffer.AsSpan(0, count));
        }
        finally
        {
            onTheWay.Close();
        }
    }

    private void Bring(ByteRing onTheWay, Socket far)
    {
        byte[] piece = new byte[PieceBytes];
        TimeSpan debt = TimeSpan.Zero;
        try
        {
            while (onTheWay.Read(piece) is > 0 and int count)
            {
                long start = Stopwatch.GetTimestamp();
                far.Send(piece.AsSpan(0, count));
                long rate = BytesPerSecond;
                if (rate == 0)
                    continue;

                // The line is busy with this piece; what a wait took too long is made up by the next ones.
                debt += TimeSpan.FromSeconds(count / (double)rate);
                if (debt > TimeSpan.FromMilliseconds(2))
                    _faster.Wait(debt);
                debt -= Stopwatch.GetElapsedTime(start);
                if (debt < s_mostMadeUp)
                    debt = s_mostMadeUp;
            }

            far.Shutdown(SocketShutdown.Send);
        }
        finally
        {
            onTheWay.Close();
        }
    }

    private static void Pass(Socket from, Socket to)
    {
        byte[] buffer = new byte[PieceBytes];
        while (from.Receive(buffer) is > 0 and int count)
            to.Send(buffer.AsSpan(0, count));
        to.Shutdown(SocketShutdown.Both);
    }
}
