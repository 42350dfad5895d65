using System.Security.Cryptography.X509Certificates;

namespace Kvm.Colo.Qmp;

/// <summary>TLS for a TCP monitor: our certificate, and who may sign a client's.</summary>
/// <param name="ServerCertificate">With its private key.</param>
/// <param name="ClientAuthorities">Roots that a client's certificate must lead to.</param>
internal sealed record QmpTlsOptions(X509Certificate2 ServerCertificate, X509Certificate2Collection ClientAuthorities);
