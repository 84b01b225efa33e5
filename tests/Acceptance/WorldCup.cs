using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>Every men's World Cup match from 1930 to 2022 as a report on both squads: the figures come from an independent calculation.</summary>
public sealed class WorldCup
{
    private const int Charged = 11_062;

    [Fact]
    public async Task R3_Is_charged_to_the_credit_when_each_report_is_sent_four_times_at_once_and_free_when_it_is_sent_again()
    {
        var matches = Matches();
        await using var edition = await Begin(matches);
        foreach (var match in matches)
        {
            await Advance(edition.Api, match);
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Submit(edition.Api, match)));
            Assert.Equal([200, 200, 200, 201], answers.Select(answer => answer.Status).Order());
            Assert.Single(answers.Select(answer => answer.Text).Distinct());
        }
        await Adds_up(edition.Api, matches);

        foreach (var match in matches) Assert.True((await Submit(edition.Api, match)).Is(200).IsReplay);
        await Adds_up(edition.Api, matches);
        await G5_Each_month_s_opening_and_movements_make_its_closing(edition.Api);
    }

    // Each month goes on where the one before ended, and what all months moved is what there is.
    private static async Task G5_Each_month_s_opening_and_movements_make_its_closing(Api api)
    {
        var last = DateOnly.Parse(((string)(await api.Get("/v1/clock"))["now"]!)[..10], CultureInfo.InvariantCulture);
        var (standing, charged) = (new decimal[4], 0m);
        foreach (var client in await api.All("/v1/clients"))
            foreach (var contract in await api.All($"/v1/contracts?clientId={client["clientId"]}"))
                for (var month = new DateOnly(1930, 1, 1); month <= last; month = month.AddMonths(1))
                {
                    var end = month.AddMonths(1).AddDays(-1) is var day && day < last ? day : last;
                    var statement = (await api.Get($"/v1/contracts/{contract["contractId"]}/statement?from={month:yyyy-MM-dd}&to={end:yyyy-MM-dd}")).Is(200);
                    Assert.Equal(standing, Stands(statement["opening"]!));
                    foreach (var moved in statement["movements"]!.AsArray())
                    {
                        standing = [.. standing.Zip(Stands(moved!["effect"]!), (sum, more) => sum + more)];
                        if ((string)moved["kind"]! == "credits-charged") charged += (decimal)moved["credits"]!;
                    }
                    Assert.Equal(standing, Stands(statement["closing"]!));
                }
        Assert.Equal(Charged, charged);
        var balance = (await api.Get("/v1/contracts/cups/balance")).Is(200);
        Assert.Equal(standing, Stands(balance.Json));

        static decimal[] Stands(JsonNode standing) => [.. ((string[])["unallocated", "allocated", "expired", "withdrawn"]).Select(name => (decimal)standing[name]!)];
    }

    [Fact]
    public async Task R5_Is_charged_the_same_when_the_process_is_killed_ten_times()
    {
        var matches = Matches();
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var kills = Enumerable.Range(0, matches.Count).OrderBy(_ => random.Next()).Take(10).ToHashSet();

        await using var edition = await Begin(matches, isProcess: true);
        for (var i = 0; i < matches.Count; i++)
        {
            if (kills.Contains(i)) await KillWhile(edition, matches[i], TimeSpan.FromMicroseconds(random.Next(20_000)));
            Assert.True((await Play(edition.Api, matches[i])).Status is 200 or 201, $"seed {seed}");
        }
        await Adds_up(edition.Api, matches);
    }

    // The report is on its way, four times, when the process dies.
    private static async Task KillWhile(Edition edition, JsonNode match, TimeSpan after)
    {
        await Advance(edition.Api, match);
        var sent = Enumerable.Range(0, 4).Select(_ => Submit(edition.Api, match)).ToList();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < after;) Thread.SpinWait(20);
        await edition.Kill();
        foreach (var answer in sent) await Record.ExceptionAsync(() => answer);
        await edition.Restart(new(TestClock: At(match)));
    }

    private static async Task Adds_up(Api api, IReadOnlyList<JsonNode> matches)
    {
        var reports = (await api.All("/v1/reports?clientId=FIFA")).ToDictionary(report => (string)report["reportId"]!, report => (int)report["charged"]!);
        var tournaments = matches.GroupBy(match => (string)match["tournament"]!).ToDictionary(group => group.Key, group => group.Sum(match => reports[(string)match["reportId"]!]));

        Assert.Equal((964, Charged), (reports.Count, reports.Values.Sum()));
        Assert.Equal((245, 749, 759, 831), (tournaments["WC-1930"], tournaments["WC-1998"], tournaments["WC-2014"], tournaments["WC-2022"]));
        var audit = await api.Balanced("cups");
        Assert.Equal((Charged, 20_000 - Charged), ((int)audit["used"]!, (int)audit["unallocated"]!));
    }

    private static async Task<Edition> Begin(IReadOnlyList<JsonNode> matches, bool isProcess = false)
    {
        var edition = await Edition.Start(new(TestClock: At(matches[0]), IsProcess: isProcess));
        (await edition.Api.Put("/v1/contracts/cups", Words.Terms("FIFA", new { startsOn = "1930-01-01" }))).Is(201);
        await edition.Api.Users("cups", "scout");
        await edition.Api.Grant("all", 20_000, contract: "cups");
        return edition;
    }

    private static async Task<Answer> Play(Api api, JsonNode match)
    {
        await Advance(api, match);
        return await Submit(api, match);
    }

    private static async Task Advance(Api api, JsonNode match)
    {
        if (string.CompareOrdinal((string?)(await api.Get("/v1/clock"))["now"], At(match)) < 0) await api.Clock(At(match));
    }

    private static Task<Answer> Submit(Api api, JsonNode match) =>
        api.Post("/v1/reports", new { reportId = (string)match["reportId"]!, contractId = "cups", userId = "scout", players = match["players"] });

    private static string At(JsonNode match) => (string)match["at"]!;

    // The data lies beside the repository, not in it.
    private static List<JsonNode> Matches()
    {
        const string Name = "shared/data/worldcup-men-reports.ndjson";
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, Name) is var file && File.Exists(file))
                return [.. File.ReadLines(file).Select(line => JsonNode.Parse(line)!)];
        Assert.Skip($"{Name} is not beside this repository");
        return [];
    }
}
