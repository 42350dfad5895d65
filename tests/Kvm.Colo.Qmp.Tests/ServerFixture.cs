namespace Kvm.Colo.Qmp.Tests;

/// <summary>A server on a unix socket in a directory of its own, and the host behind it.</summary>
internal sealed class ServerFixture : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("qmp");

    public ServerFixture(QmpServerOptions? options = null)
    {
        Server = new QmpServer(Host, options ?? new QmpServerOptions());
        Host.Server = Server;
        Address = Server.Listen(QmpAddress.Parse($"unix:{_directory.FullName}/s"));
    }

    public TestHost Host { get; } = new();

    public QmpServer Server { get; }

    public QmpAddress Address { get; }

    public string Folder => _directory.FullName;

    public RawClient Connect() => new(Address);

    public RawClient Negotiated(bool outOfBand = false) => Connect().Negotiate(outOfBand);

    public void Dispose()
    {
        Server.Dispose();
        Host.Dispose();
        _directory.Delete(recursive: true);
    }
}
