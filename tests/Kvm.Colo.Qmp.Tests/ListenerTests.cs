using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kvm.Colo.Qmp.Client;
using Mono.Unix.Native;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>Where a monitor may listen and who may connect.</summary>
public sealed class ListenerTests : IDisposable
{
    private const FilePermissions OwnerOnlySocket =
        FilePermissions.S_IFSOCK | FilePermissions.S_IRUSR | FilePermissions.S_IWUSR;

    private readonly ServerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void UnixSocket_IsForItsOwnerOnly_AndGoneAfterwards()
    {
        string path = _fixture.Address.Path!;
        Assert.Equal(OwnerOnlySocket, ModeOf(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_fixture.Folder));
        _fixture.Server.Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Folder));
    }

    [Fact]
    public void StaleUnixSocket_IsReplaced()
    {
        string path = Path.Combine(_fixture.Folder, "stale");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path + "x"));
            // A renamed socket is left behind when its owner goes, as a killed process leaves one.
            Assert.Equal(0, Syscall.rename(path + "x", path));
        }
        QmpAddress address = _fixture.Server.Listen(QmpAddress.Parse($"unix:{path}"));
        using RawClient client = new RawClient(address).Negotiate();
        Assert.Equal(OwnerOnlySocket, ModeOf(path));
    }

    [Fact]
    public void LiveUnixSocket_IsRefused_AndStaysAlive()
    {
        QmpListenException refusal = Assert.Throws<QmpListenException>(() => _fixture.Server.Listen(_fixture.Address));
        Assert.Contains("another process listens there", refusal.Message, StringComparison.Ordinal);
        using RawClient client = _fixture.Negotiated();
    }

    [Fact]
    public void OrdinaryFile_IsNotTouched()
    {
        string path = Path.Combine(_fixture.Folder, "file");
        File.WriteAllText(path, "precious");
        QmpListenException refusal = Assert.Throws<QmpListenException>(() =>
            _fixture.Server.Listen(QmpAddress.Parse($"unix:{path}")));
        Assert.Contains("is not a socket", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("nowhere/s", "no directory")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/s", "no directory")]
    public void ImpossiblePath_IsExplained(string name, string reason)
    {
        QmpListenException refusal = Assert.Throws<QmpListenException>(
            () => _fixture.Server.Listen(QmpAddress.Parse($"unix:{_fixture.Folder}/{name}")));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PathTooLongForASocket_IsExplained()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_fixture.Folder, new string('d', 100))).FullName;
        QmpListenException refusal = Assert.Throws<QmpListenException>(() =>
            _fixture.Server.Listen(QmpAddress.Parse($"unix:{folder}/s")));
        Assert.Contains("too long", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp:0.0.0.0:0")]
    [InlineData("tcp:[::]:0")]
    [InlineData("tcp:192.0.2.1:0")]
    public void TcpOffLoopback_NeedsTls(string address)
    {
        QmpListenException refusal = Assert.Throws<QmpListenException>(() => _fixture.Server.Listen(QmpAddress.Parse(address)));
        Assert.Contains("TLS with client certificates", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TcpOnLoopback_Serves_AndATakenPortIsRefused()
    {
        QmpAddress address = _fixture.Server.Listen(QmpAddress.Parse("tcp:127.0.0.1:0"));
        using RawClient client = new RawClient(address).Negotiate();
        Assert.Equal("""{"return":{"name":"test"}}""", client.Ask("""{"execute":"query-name"}"""));
        Assert.Throws<QmpListenException>(() => _fixture.Server.Listen(address));
    }

    [Fact]
    public void Tls_AdmitsACertificateOfOurAuthority_AndNobodyElse()
    {
        using X509Certificate2 authority = MakeAuthority();
        using X509Certificate2 server = Issue(authority, "server");
        using X509Certificate2 friend = Issue(authority, "friend");
        using X509Certificate2 otherAuthority = MakeAuthority();
        using X509Certificate2 stranger = Issue(otherAuthority, "stranger");
        QmpAddress address = _fixture.Server.Listen(QmpAddress.Parse("tcp:127.0.0.1:0"), new QmpTlsOptions(server, [authority]));

        using (QmpClient client = QmpClient.Connect(address, new QmpClientOptions { Tls = Tls(authority, friend) }))
            Assert.Equal("test", client.Execute("query-name").GetProperty("name").GetString());
        Assert.Throws<QmpConnectionException>(() =>
            QmpClient.Connect(address, new QmpClientOptions { Tls = Tls(authority, stranger) }));
        Assert.Throws<QmpConnectionException>(() =>
            QmpClient.Connect(address, new QmpClientOptions { Tls = Tls(authority, client: null) }));
        using RawClient plain = new(address);
        plain.Send("{\"execute\":\"qmp_capabilities\"}\r\n");
        Assert.ThrowsAny<Exception>(() => Assert.StartsWith("{", plain.ReadLine(), StringComparison.Ordinal));
    }

    [Fact]
    public void TlsFolder_OpensAMonitorOffLoopback_ToThoseWhoHaveAKey()
    {
        using X509Certificate2 authority = MakeAuthority();
        string ours = Folder("ours", authority, "server", "client");
        QmpAddress address = _fixture.Server.Listen(QmpAddress.Parse($"tcp:0.0.0.0:0,tls={ours}"));
        Assert.EndsWith($",tls={ours}", address.ToString(), StringComparison.Ordinal);
        using (QmpClient client = QmpClient.Connect(QmpAddress.Parse($"tcp:127.0.0.1:{address.Port},tls={ours}")))
            Assert.Equal("test", client.Execute("query-name").GetProperty("name").GetString());

        // The machine's own address, where it has one besides loopback.
        IPAddress? outside = Dns.GetHostAddresses(Dns.GetHostName(), AddressFamily.InterNetwork).FirstOrDefault(static each => !IPAddress.IsLoopback(each));
        if (outside is not null)
        {
            QmpConnectionException wrongName = Assert.Throws<QmpConnectionException>(
                () => QmpClient.Connect(QmpAddress.Parse($"tcp:{outside}:{address.Port},tls={ours}")));
            Assert.Contains("RemoteCertificateNameMismatch", wrongName.Message, StringComparison.Ordinal);
        }

        using X509Certificate2 otherAuthority = MakeAuthority();
        string theirs = Folder("theirs", otherAuthority, "server", "client");
        File.Copy(Path.Combine(ours, "ca-cert.pem"), Path.Combine(theirs, "ca-cert.pem"), overwrite: true);
        Assert.Throws<QmpConnectionException>(() => QmpClient.Connect(QmpAddress.Parse($"tcp:127.0.0.1:{address.Port},tls={theirs}")));
        Assert.Throws<QmpConnectionException>(() => QmpClient.Connect(
            QmpAddress.Parse($"tcp:127.0.0.1:{address.Port}"), new QmpClientOptions { Deadline = TimeSpan.FromSeconds(1) }));
    }

    [Fact]
    public void TlsFolder_ThatLacksAFile_IsExplained()
    {
        string empty = Directory.CreateDirectory(Path.Combine(_fixture.Folder, "empty")).FullName;
        QmpAddress address = QmpAddress.Parse($"tcp:127.0.0.1:0,tls={empty}");
        Assert.Contains("server-cert.pem", Assert.Throws<QmpListenException>(() => _fixture.Server.Listen(address)).Message, StringComparison.Ordinal);
        Assert.Contains("client-cert.pem", Assert.Throws<QmpConnectionException>(() => QmpClient.Connect(address)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix:/x,tls=/y", "is not known")]
    [InlineData("unix:", "is not an address")]
    [InlineData("tcp:127.0.0.1", "is not an address")]
    [InlineData("tcp:127.0.0.1:x", "is not a port")]
    [InlineData("tcp:127.0.0.1:70000", "is not a port")]
    [InlineData("udp:127.0.0.1:1", "is not an address")]
    [InlineData("unix:/x,wait=on", "is not known")]
    public void WrongAddress_IsExplained(string text, string reason)
    {
        Assert.False(QmpAddress.TryParse(text, out _, out string error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix:/run/x.sock,server=on,wait=off", "unix:/run/x.sock")]
    [InlineData("tcp:localhost:4444", "tcp:localhost:4444")]
    [InlineData("tcp:[::1]:4444", "tcp:[::1]:4444")]
    public void Address_IsReadAndWritten(string text, string canonical) =>
        Assert.Equal(canonical, QmpAddress.Parse(text).ToString());

    private string Folder(string name, X509Certificate2 authority, params string[] sides)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_fixture.Folder, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "ca-cert.pem"), authority.ExportCertificatePem());
        foreach (string side in sides)
        {
            using X509Certificate2 certificate = Issue(authority, side);
            using ECDsa key = certificate.GetECDsaPrivateKey()!;
            File.WriteAllText(Path.Combine(folder, $"{side}-cert.pem"), certificate.ExportCertificatePem());
            File.WriteAllText(Path.Combine(folder, $"{side}-key.pem"), key.ExportPkcs8PrivateKeyPem());
        }

        return folder;
    }

    private static FilePermissions ModeOf(string path)
    {
        Assert.Equal(0, Syscall.lstat(path, out Stat status));
        return status.st_mode;
    }

    private static SslClientAuthenticationOptions Tls(X509Certificate2 authority, X509Certificate2? client)
    {
        var policy =
            new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(authority);
        return new SslClientAuthenticationOptions
        {
            TargetHost = "server",
            CertificateChainPolicy = policy,
            ClientCertificates = client is null ? [] : [client],
            LocalCertificateSelectionCallback = client is null ? null : (_, _, _, _, _) => client,
        };
    }

    private static X509Certificate2 MakeAuthority()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = request.Create(
            authority, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(199), RandomNumberGenerator.GetBytes(16));
        using X509Certificate2 withKey = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), password: null, X509KeyStorageFlags.Exportable);
    }
}
