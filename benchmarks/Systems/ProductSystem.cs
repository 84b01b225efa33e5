using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Editions;

namespace CreditGrains.Bench;

/// <summary>CreditGrains itself, on either store.</summary>
internal static class ProductSystem
{
    private const int ReportsInMillion = 50;
    private const int PagesInMillion = 20;

    public static async Task<RunningSystem> Embedded(Contracts contracts)
    {
        var folder = new Folder();
        var silo = SiloProcess.Embedded(folder.Data);
        return await Start("embedded", [silo], null, folder, contracts);
    }

    /// <param name="program">Another build of CreditGrains.Silo.dll; null: this one.</param>
    public static async Task<RunningSystem> Cluster(string name, int silos, Contracts contracts, string? program = null)
    {
        var postgres = await ScratchPostgres.New();
        var members = Enumerable.Range(0, silos).Select(_ => SiloProcess.Cluster(postgres.ConnectionString)).ToList();
        if (program is not null) members.ForEach(silo => silo.Program = program);
        return await Start(name, members, postgres, new(), contracts);
    }

    private static async Task<RunningSystem> Start(
        string name, IReadOnlyList<SiloProcess> silos, ScratchPostgres? postgres, Folder folder, Contracts contracts)
    {
        IReadOnlyList<IAsyncDisposable> parts = [.. silos, .. postgres is null ? [] : new IAsyncDisposable[] { postgres }, folder];
        try
        {
            var keys = folder.Keys(contracts);
            await Task.WhenAll(silos.Select(silo => silo.Start(new() { ApiKeys = keys })));
            var system = new RunningSystem(name, [.. silos.Select(silo => new Server(silo.Url, silo.ProcessId))], postgres, parts);
            await Prepare(system, contracts);
            return system;
        }
        catch (Exception)
        {
            foreach (var part in parts) await part.DisposeAsync();
            throw;
        }
    }

    private static async Task Prepare(RunningSystem system, Contracts contracts)
    {
        var client = system.Client;
        await Real(client, Contracts.PoorId, Contracts.Users, hasCredits: false);
        await Client.ForEach(contracts.RealIds, contract => Real(client, contract, Contracts.Users));
        await Client.ForEach(contracts.BareIds, contract => Bare(client, contract));
        if (contracts.Crowd) await Real(client, Contracts.CrowdId, Contracts.CrowdUsers);
        if (contracts.Million) system.Pages = await Million(client);
    }

    // One lot that never expires and no allocation.
    private static async Task Bare(Client client, string contract)
    {
        await Terms(client, contract, "null", "");
        await Users(client, contract, Contracts.Users);
        await Lot(client, contract, "lot", Contracts.Credits, "");
    }

    // A monthly cycle, two purchases that expire, and users with an amount a day.
    private static async Task Real(Client client, string contract, int users, bool hasCredits = true)
    {
        var today = DateTime.UtcNow;
        await Terms(client, contract, "30", hasCredits ? $$""","billingCycle":{"unit":"month","credits":{{Contracts.Credits / 3}}}""" : "");
        await Users(client, contract, users);
        foreach (var days in hasCredits ? new[] { 10, 20 } : [])
            await Lot(client, contract, $"lot-{days}", Contracts.Credits / 3, FormattableString.Invariant($",\"expiresAt\":\"{today.AddDays(days):yyyy-MM-dd}T00:00:00Z\""));
        var settings = Enumerable.Range(0, users).Select(user => FormattableString.Invariant(
            $$"""{"userId":"{{Contracts.UserId(user)}}","amount":{{Contracts.Credits}},"renewal":"daily","startDate":"{{today:yyyy-MM-dd}}","extraCredits":10}"""));
        await client.Patch($"/v1/contracts/{contract}/allocations", $$"""{"enabled":true,"users":[{{string.Join(',', settings)}}]}""");
    }

    private static Task Terms(Client client, string contract, string lifetime, string more)
    {
        var clientId = Contracts.ClientOf(contract);
        return client.Put(
            $"/v1/contracts/{contract}",
            $$"""{"clientId":"{{clientId}}","name":"{{contract}}","type":"metered","startsOn":"2026-01-01","unallocatedLifetimeDays":{{lifetime}}{{more}}}""");
    }

    private static Task Users(Client client, string contract, int users)
    {
        var named = Enumerable.Range(0, users).Select(Contracts.UserId).Select(user => $$"""{"userId":"{{user}}","name":"{{user}}"}""");
        return client.Put($"/v1/contracts/{contract}/users", $$"""{"users":[{{string.Join(',', named)}}]}""");
    }

    private static Task Lot(Client client, string contract, string lot, long credits, string more) =>
        client.Post($"/v1/contracts/{contract}/lots", $$"""{"lotId":"{{lot}}","paymentId":"paid","quantity":{{credits}}{{more}}}""");

    // 50,000 of the credits are used. Answers addresses of pages from the first to the 20,000th credit.
    private static async Task<IReadOnlyList<Uri>> Million(Client client)
    {
        const string Id = Contracts.MillionId;
        await Terms(client, Id, "null", "");
        await Users(client, Id, Contracts.Users);
        await Lot(client, Id, "lot", Contracts.MillionCredits, "");
        await Client.ForEach(
            Enumerable.Range(0, ReportsInMillion).Select(report => $"{Id}-{report}"),
            report => client.Report(report, Id, Enumerable.Range(0, 1_000).Select(player => $"{report}-{player}")));

        var list = $"/v1/credits?contractId={Id}&limit=";
        List<Uri> pages = [client.Address($"{list}{Load.PageSize}")];
        for (string? cursor = null; pages.Count < PagesInMillion; pages.Add(client.Address($"{list}{Load.PageSize}&cursor={cursor}")))
        {
            var page = await client.Get($"{list}1000{(cursor is null ? "" : $"&cursor={cursor}")}");
            cursor = Uri.EscapeDataString(page.Body.GetProperty("nextCursor").GetString()!);
        }
        return pages;
    }

    /// <summary>A scratch folder: the embedded store's data, and the file of API keys.</summary>
    private sealed class Folder : IAsyncDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("creditgrains-bench-");

        public string Data => folder.FullName;

        /// <summary>Writes the keys that loads use, and answers the file.</summary>
        public string Keys(Contracts contracts)
        {
            var file = Path.Combine(folder.FullName, "keys.json");
            var consumers = contracts.ReportedIds.Select(contract =>
                new { Name = contract, Role = "consumer", ClientId = (string?)Contracts.ClientOf(contract), Sha256 = Hash(Contracts.KeyOf(contract)) });
            var all = consumers.Prepend(new { Name = "bench", Role = "operator", ClientId = (string?)null, Sha256 = Hash(Contracts.OperatorKey) });
            File.WriteAllText(file, JsonSerializer.Serialize(new { Keys = all }, JsonSerializerOptions.Web));
            return file;
        }

        public ValueTask DisposeAsync()
        {
            folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }

        private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }
}
