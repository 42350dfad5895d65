using System.Net.Sockets;
using Kvm.Colo.Migration.Links;

namespace Kvm.Colo.Migration.Tests.Support;

/// <summary>Two real links joined by a UNIX socket in a folder of its own.</summary>
internal sealed class SocketPair : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("colo-link-");

    public SocketPair(TimeSpan? sendDeadline = null)
    {
        TimeSpan deadline = sendDeadline ?? TimeSpan.FromSeconds(30);
        string path = Path.Combine(_folder.FullName, "link");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        Socket here = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        here.Connect(new UnixDomainSocketEndPoint(path));
        Here = new SocketLink(here, "here", deadline);
        There = new SocketLink(listener.Accept(), "there", deadline);
    }

    public SocketLink Here { get; }

    public SocketLink There { get; }

    public void Dispose()
    {
        Here.Dispose();
        There.Dispose();
        _folder.Delete(recursive: true);
    }
}
