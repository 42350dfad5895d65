using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>Makes a stream of a connected socket: plain, or TLS with a client certificate that our authorities signed.</summary>
internal static class QmpTransport
{
    /// <summary>Opens the stream; a TLS handshake has a deadline.</summary>
    /// <exception cref="AuthenticationException">The client showed no acceptable certificate.</exception>
    public static Stream Open(Socket socket, QmpTlsOptions? tls, QmpServerOptions options)
    {
        var plain = new NetworkStream(socket, ownsSocket: false);
        if (tls is null)
            return plain;

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(tls.ClientAuthorities);
        var secure = new SslStream(plain, leaveInnerStreamOpen: false);
        using ITimer deadline = options.Time.CreateTimer(
            static state => ((Socket)state!).Dispose(), socket, options.HandshakeDeadline, Timeout.InfiniteTimeSpan);
        try
        {
            secure.AuthenticateAsServer(new SslServerAuthenticationOptions
            {
                ServerCertificate = tls.ServerCertificate,
                ClientCertificateRequired = true,
                CertificateChainPolicy = policy,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                RemoteCertificateValidationCallback = static (_, certificate, _, errors) =>
                    certificate is not null && errors == SslPolicyErrors.None,
            });
            return secure;
        }
        catch
        {
            secure.Dispose();
            throw;
        }
    }
}
