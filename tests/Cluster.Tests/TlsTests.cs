using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Mutual TLS between silos and fronts: whoever has no certificate of the cluster's authority is not talked to.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TempDirectory files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task Silos_and_fronts_with_certificates_of_one_authority_talk_and_a_stranger_is_not_let_in()
    {
        var (certificate, _) = Certify("cluster");
        var (_, foreign) = Certify("stranger");
        var (siloPort, gatewayPort) = (Child.FreePort(), Child.FreePort());
        var tls = new SiloOptions(Arguments:
        [
            "--tls-certificate", $"{certificate}.pem", "--tls-key", $"{certificate}.key", "--tls-authority", $"{certificate}-authority.pem",
        ]);
        var postgres = await SharedPostgres.NewDatabase();
        await using var one = SiloProcess.Cluster(postgres);
        await using var other = SiloProcess.Cluster(postgres);
        await using var front = SiloProcess.Front(postgres);
        await one.Start(tls with { Arguments = [.. tls.Arguments!, "--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}"] });
        await other.Start(tls);
        await front.Start(tls);

        using var client = new Client([one, other, front]);
        foreach (var contract in Enumerable.Range(0, 6)) await client.Contract($"c{contract}", "acme", "u", 10);
        foreach (var report in Enumerable.Range(0, 6))
            Assert.Equal(HttpStatusCode.Created, (await client.Once(front, HttpMethod.Post, "/v1/reports", Client.Report($"r{report}", $"c{report}", "u", $"p{report}"))).Status);

        foreach (var port in new[] { siloPort, gatewayPort })
        {
            Assert.False(await IsLetIn(port, null));
            Assert.False(await IsLetIn(port, foreign));
        }
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_a_sentence()
    {
        var (certificate, _) = Certify("cluster");
        var (stranger, _) = Certify("stranger");
        await using var silo = SiloProcess.Cluster("Host=nowhere");
        var (exitCode, output) = await silo.Fail(new(Arguments:
        [
            "--tls-certificate", $"{certificate}.pem", "--tls-key", $"{certificate}.key", "--tls-authority", $"{stranger}-authority.pem",
        ]));
        Assert.Equal(2, exitCode);
        Assert.Equal(
            $"CreditGrains did not start: --tls-certificate {certificate}.pem must be signed by the authority in {stranger}-authority.pem, and be valid now.", output.Trim());
    }

    // Whether the silo keeps the connection: one that it refuses it closes.
    private static async Task<bool> IsLetIn(int port, X509Certificate2? certificate)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await using var stream = new SslStream(connection.GetStream(), false, (_, _, _, _) => true);
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "creditgrains",
                ClientCertificates = certificate is null ? null : [certificate],
            });
            return await stream.ReadAsync(new byte[1], TestContext.Current.CancellationToken) > 0;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return false;
        }
    }

    // An authority, and a certificate that it has signed, in files whose names begin alike.
    private (string Path, X509Certificate2 Certificate) Certify(string name)
    {
        var path = Path.Combine(files.Path, name);
        using var ownKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var request = new CertificateRequest($"CN={name} authority", ownKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(from, until);
        using var signed = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).Create(authority, from, until, [1, 2, 3]);
        File.WriteAllText($"{path}-authority.pem", authority.ExportCertificatePem());
        File.WriteAllText($"{path}.pem", signed.ExportCertificatePem());
        File.WriteAllText($"{path}.key", key.ExportPkcs8PrivateKeyPem());
        return (path, signed.CopyWithPrivateKey(key));
    }
}
