using System.Net;
using System.Net.Sockets;
using CreditGrains.Editions;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Stores.Postgres;
using CreditGrains.Stores.Sqlite;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>Options that cannot work end in one sentence that names option, value and cure, and exit code 2.</summary>
public sealed class OptionTests
{
    [Theory]
    [InlineData("--silo-port must be a number from 1 to 65535, not 0.", "--postgres", "Host=db", "--silo-port", "0")]
    [InlineData(
        "--silo-port must be a number from 1 to 65535, not tcp://10.0.0.7:11111, which Kubernetes has put into CREDITGRAINS_SILO_PORT: set enableServiceLinks: false for the pod.",
        "--postgres", "Host=db", "--silo-port", "tcp://10.0.0.7:11111")]
    [InlineData("--urls must be an address such as http://0.0.0.0:8080, without a path, not http://127.0.0.1:5080/credits.", "--urls", "http://127.0.0.1:5080/credits")]
    [InlineData("--urls must be an address such as http://0.0.0.0:8080, without a path, not http://127.0.0.1:99999.", "--urls", "http://127.0.0.1:99999")]
    [InlineData("--logs must be text or json, not xml.", "--logs", "xml")]
    [InlineData("--front must be true or false, not perhaps.", "--postgres", "Host=db", "--front", "perhaps")]
    [InlineData("--gateway-port goes with --postgres only.", "--gateway-port", "30000")]
    [InlineData("migrate needs --postgres CONNECTION: the embedded store migrates by itself.", "migrate")]
    [InlineData("archive and --before INSTANT go together: entries booked before are archived.", "archive")]
    [InlineData("archive and --before INSTANT go together: entries booked before are archived.", "--before", "2025-01-01T00:00:00Z")]
    [InlineData("--before must be an instant such as 2026-01-01T00:00:00Z, not yesterday.", "archive", "--before", "yesterday")]
    [InlineData("--tls-certificate, --tls-key and --tls-authority must be given together.", "--postgres", "Host=db", "--tls-key", "key.pem")]
    [InlineData(
        "--advertise 10.1.2.3 is reached from other machines, and whoever reaches a silo may do everything: "
        + "give --tls-certificate, --tls-key and --tls-authority, or --insecure-cluster true where the network lets nobody else in.",
        "--postgres", "Host=db", "--advertise", "10.1.2.3")]
    public void What_is_wrong_is_a_sentence(string sentence, params string[] args) =>
        Assert.Equal(sentence, Assert.Throws<InvalidDataException>(() => ServerOptions.Read(args)).Message);

    [Fact]
    public void A_port_in_use_and_an_address_of_another_machine_are_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        Assert.Equal($"--silo-port {port} on 127.0.0.1 is in use by another process; choose another port.", Fault(new() { SiloPort = port }));
        Assert.Equal($"--metrics-port {port} on 127.0.0.1 is in use by another process; choose another port.", Fault(new() { SiloPort = Child.FreePort(), MetricsPort = port }));
        Assert.Equal("--advertise 192.0.2.1 must be an address of this machine; auto finds one.", Fault(new() { Advertise = IPAddress.Parse("192.0.2.1") }));

        static string Fault(ServerOptions options) => Assert.Throws<InvalidDataException>(() => Ports.Check(options, isSilo: true)).Message;
    }

    [Fact]
    public void What_the_connection_string_says_itself_wins()
    {
        var pools = new PostgresPools("Host=db;Command Timeout=600;MaxPoolSize=3;Max Auto Prepare=0");
        Assert.Equal((600, 3, 0), (Of(pools.Store).CommandTimeout, Of(pools.Store).MaxPoolSize, Of(pools.Store).MaxAutoPrepare));
        Assert.Equal((600, 3, 0), (Of(pools.Orleans).CommandTimeout, Of(pools.Orleans).MaxPoolSize, Of(pools.Orleans).MaxAutoPrepare));
        Assert.Equal((15, 20), (Of(new PostgresPools("Host=db").Store).CommandTimeout, Of(new PostgresPools("Host=db").Store).MaxPoolSize));
        Assert.StartsWith("--postgres must be a connection string", Assert.Throws<InvalidDataException>(() => new PostgresPools("Host=db;Colour=red")).Message);

        static NpgsqlConnectionStringBuilder Of(string connection) => new(connection);
    }

    [Theory]
    [InlineData("text", "is no data of CreditGrains")]
    [InlineData("foreign", "is the database of something else")]
    [InlineData("truncated", "is not whole")]
    [InlineData("broken", "cannot be used")]
    public async Task A_data_file_that_cannot_be_used_is_a_sentence(string kind, string naming)
    {
        using var data = new TempDirectory();
        var file = Path.Combine(data.Path, "credits.db");
        switch (kind)
        {
            case "text":
                await File.WriteAllTextAsync(file, new string('x', 5_000), TestContext.Current.CancellationToken);
                break;
            case "foreign":
                await using (var database = new SqliteConnection($"Data Source={file};Pooling=false"))
                {
                    await database.OpenAsync(TestContext.Current.CancellationToken);
                    await using var table = new SqliteCommand("create table t (x)", database);
                    await table.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                }
                break;
            default:
                SqliteStore.Open(data.Path).Dispose();
                await using (var stream = new FileStream(file, FileMode.Open))
                {
                    if (kind == "truncated") stream.SetLength(stream.Length - 4_096);
                    else
                    {
                        // The whole schema, behind the header of its first page.
                        stream.Position = 100;
                        await stream.WriteAsync(Enumerable.Repeat((byte)0xA5, 1_900).ToArray(), TestContext.Current.CancellationToken);
                    }
                }
                break;
        }
        Assert.Contains(naming, Assert.Throws<DataRefusedException>(() => SqliteStore.Open(data.Path)).Message);
    }

    [Fact]
    public async Task Silos_at_IPv6_addresses_form_a_cluster_and_one_at_an_address_of_another_kind_does_not_join_it()
    {
        var postgres = await SharedPostgres.NewDatabase();
        await using var one = SiloProcess.Cluster(postgres);
        await using var other = SiloProcess.Cluster(postgres);
        var options = new SiloOptions(Arguments: ["--advertise", "::1"]);
        await one.Start(options);
        await other.Start(options);
        using var client = new Client([one, other]);
        foreach (var contract in Enumerable.Range(0, 8)) await client.Contract($"c{contract}", "acme", "u", 10);
        Assert.True(await one.IsReady() && await other.IsReady());

        await using var apart = SiloProcess.Cluster(postgres);
        Refused(await apart.Fail(new(Arguments: ["--advertise", $"{Ports.OfThisMachine()}", "--insecure-cluster", "true"])), "cannot reach each other");
    }

    [Fact]
    public async Task The_schema_is_made_by_a_command_of_its_own_and_a_role_that_only_reads_and_writes_rows_runs_a_silo()
    {
        var postgres = await SharedPostgres.NewDatabase();
        await using var silo = SiloProcess.Cluster(postgres);
        Refused(await silo.Fail(new(Arguments: ["--migrate", "off"])), "run the command migrate first");

        var made = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Child.Run("dotnet", SiloProcess.Built, "migrate", "--postgres", postgres)));
        Assert.Single(made, said => said.Contains("Schema 1 is made.", StringComparison.Ordinal));
        await using var source = NpgsqlDataSource.Create(postgres);
        await using var role = source.CreateCommand("create role clerk login; grant select, insert, update, delete on all tables in schema public to clerk");
        await role.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await using var clerk = SiloProcess.Cluster(postgres.Replace("Username=creditgrains", "Username=clerk", StringComparison.Ordinal));
        await clerk.Start(new(Arguments: ["--migrate", "off"]));
        using var client = new Client([clerk]);
        await client.Contract("c", "acme", "u", 10);
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r", "c", "u", "p"))).Status);
    }

    [Fact]
    public async Task A_pooler_that_changes_servers_between_transactions_is_a_sentence()
    {
        const string Install = "command -v pgbouncer || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq pgbouncer) >&2";
        Assert.SkipUnless(await Record.ExceptionAsync(() => Child.Run("bash", "-c", Install)) is null, "pgbouncer is not here, and apt-get cannot install it");
        using var folder = new TempDirectory();
        var database = new NpgsqlConnectionStringBuilder(await SharedPostgres.NewDatabase());
        var (file, port) = (Path.Combine(folder.Path, "pgbouncer.ini"), Child.FreePort());
        await File.WriteAllTextAsync(file, $"""
            [databases]
            * = host={database.Host} port={database.Port} user={database.Username}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            """, TestContext.Current.CancellationToken);

        // It refuses to run as root, as the database does.
        await Child.Run("chmod", "755", folder.Path);
        string[] command = Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "pgbouncer", file] : ["pgbouncer", file];
        await using var pooler = Child.Start(new(command[0], command.Skip(1)));
        await pooler.Ready(() => Task.FromResult(pooler.Output.Contains("process up", StringComparison.Ordinal)));

        database.Port = port;
        await using var silo = SiloProcess.Cluster(database.ConnectionString);
        Refused(await silo.Fail(new()), "goes through a pooler that changes servers between transactions");
    }

    private static void Refused((int ExitCode, string Output) end, string naming)
    {
        Assert.Equal(2, end.ExitCode);
        var said = Assert.Single(end.Output.Split('\n'), line => line.StartsWith("CreditGrains did not start: ", StringComparison.Ordinal));
        Assert.Contains(naming, said);
        Assert.DoesNotContain("   at ", end.Output);
    }
}
