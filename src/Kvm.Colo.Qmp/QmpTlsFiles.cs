using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kvm.Colo.Qmp.Client;

namespace Kvm.Colo.Qmp;

/// <summary>
/// Certificates and keys for TLS in one folder, in PEM and under the names QEMU's <c>tls-creds-x509</c> uses: <c>ca-cert.pem</c> on both
/// sides, <c>server-cert.pem</c> and <c>server-key.pem</c>, <c>client-cert.pem</c> and <c>client-key.pem</c>.
/// </summary>
internal static class QmpTlsFiles
{
    /// <summary>What a listening monitor needs.</summary>
    /// <exception cref="QmpListenException">A file is missing or holds something else.</exception>
    public static QmpTlsOptions LoadServer(QmpAddress address)
    {
        try
        {
            return new QmpTlsOptions(LoadPair(address.TlsFolder!, "server"), LoadAuthorities(address.TlsFolder!));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new QmpListenException(address, failure.Message);
        }
    }

    /// <summary>What a client needs to be let in, and to know the server: its certificate has the host of the address.</summary>
    /// <exception cref="QmpConnectionException">A file is missing or holds something else.</exception>
    public static SslClientAuthenticationOptions LoadClient(QmpAddress address)
    {
        try
        {
            X509Certificate2 own = LoadPair(address.TlsFolder!, "client");
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(LoadAuthorities(address.TlsFolder!));
            return new SslClientAuthenticationOptions
            {
                TargetHost = address.Host,
                CertificateChainPolicy = policy,
                ClientCertificates = [own],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => own,
            };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new QmpConnectionException($"{address}: {failure.Message}", failure);
        }
    }

    private static X509Certificate2 LoadPair(string folder, string side) =>
        X509Certificate2.CreateFromPemFile(Path.Combine(folder, $"{side}-cert.pem"), Path.Combine(folder, $"{side}-key.pem"));

    private static X509Certificate2Collection LoadAuthorities(string folder)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(Path.Combine(folder, "ca-cert.pem"));
        return authorities;
    }
}
