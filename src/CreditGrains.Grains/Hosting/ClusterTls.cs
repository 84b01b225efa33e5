using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;

namespace CreditGrains.Grains.Hosting;

/// <summary>
/// Mutual TLS between silos and fronts: each shows a certificate that the cluster's own authority has signed, and talks to nobody who has none. Names are not
/// compared, for silos come and go at addresses that nobody knows beforehand: the authority must sign for this cluster only.
/// </summary>
public sealed class ClusterTls
{
    private readonly X509Certificate2 own, authority;

    private ClusterTls(X509Certificate2 own, X509Certificate2 authority) => (this.own, this.authority) = (own, authority);

    /// <summary>null: none is wanted. Throws <see cref="InvalidDataException"/> with a sentence where a file is not as it must be.</summary>
    public static ClusterTls? Read(ServerOptions options)
    {
        if (options is not { TlsCertificate: { } certificate, TlsKey: { } key, TlsAuthority: { } authority }) return null;
        var tls = new ClusterTls(
            Read(
                $"--tls-certificate {certificate} and --tls-key {key} must be a certificate and its key",
                () => X509Certificate2.CreateFromPemFile(certificate, key)),
            Read($"--tls-authority {authority} must be a certificate", () => X509Certificate2.CreateFromPem(File.ReadAllText(authority))));
        return tls.IsOfCluster(tls.own)
            ? tls
            : throw new InvalidDataException($"--tls-certificate {certificate} must be signed by the authority in {authority}, and be valid now.");
    }

    /// <summary>Sets up both ends of a connection.</summary>
    public void Apply(TlsOptions tls)
    {
        tls.LocalCertificate = own;
        tls.RemoteCertificateMode = tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.RemoteCertificateValidation = (certificate, _, _) => IsOfCluster(certificate);
        tls.OnAuthenticateAsClient = (_, client) => client.TargetHost = "creditgrains";
    }

    private bool IsOfCluster(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private static X509Certificate2 Read(string rule, Func<X509Certificate2> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{rule}, in PEM: {e.Message}", e);
        }
    }
}
