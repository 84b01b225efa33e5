using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class ReplayTests
{
    private static readonly ReportLine[] Reports = [Report("R1", 1, "ann", "bob"), Report("R2", 1, "ann"), Report("R3", 2, "bob")];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_clock_moves_to_each_instant_before_its_reports()
    {
        var fake = new FakeService((asked, body) => asked switch
        {
            "GET /v1/clock" => FakeService.Json(200, """{"now":"2025-12-31T00:00:00Z"}"""),
            "POST /v1/clock" => FakeService.Json(200, """{"now":"2026-01-02T00:00:00Z"}"""),
            _ when body.Contains("R2", StringComparison.Ordinal) => FakeService.Json(200, """{"charged":1,"covered":0}"""),
            _ => FakeService.Json(201, """{"charged":1,"covered":1}"""),
        });
        var tally = await Run(fake, moveClock: true);
        Assert.Equal((3, 2L, 2L, 1, 0), (tally.Reports, tally.Charged, tally.Covered, tally.Replayed, tally.Refused));
        Assert.Equal(["clock", "R1", "R2", "clock", "R3"], [.. fake.Asked.Skip(1).Take(1).Select(What), .. fake.Asked.Skip(2).Take(2).Select(What).Order(), .. fake.Asked.Skip(4).Select(What)]);
        Assert.Contains("POST /v1/clock {\"advanceTo\":\"2026-01-02T00:00:00Z\"}", fake.Asked[4], StringComparison.Ordinal);
        Assert.Contains("{\"reportId\":\"R3\",\"contractId\":\"C1\",\"userId\":\"anna\",\"players\":[{\"playerId\":\"bob\",\"name\":null}]}", fake.Asked[5], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_taken_up_again_does_not_move_the_clock_back()
    {
        var fake = new FakeService((asked, _) => asked == "GET /v1/clock"
            ? FakeService.Json(200, """{"now":"2026-01-02T00:00:00Z"}""")
            : FakeService.Json(200, """{"charged":1,"covered":0}"""));
        Assert.Equal(3, (await Run(fake, moveClock: true)).Replayed);
        Assert.DoesNotContain(fake.Asked, asked => asked.StartsWith("POST /v1/clock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals_are_counted_by_code()
    {
        var fake = new FakeService((_, body) => body.Contains("R3", StringComparison.Ordinal)
            ? FakeService.Json(502, "<html>")
            : FakeService.Json(409, """{"code":"contract-not-active"}"""));
        var tally = await Run(fake, moveClock: false);
        Assert.Equal(3, tally.Refused);
        Assert.Equal(["contract-not-active 2", "http-502 1"], tally.Refusals.Select(refusal => $"{refusal.Key} {refusal.Value}"));
    }

    [Fact]
    public async Task Without_a_test_clock_there_is_none_to_move()
    {
        var fake = new FakeService((_, _) => FakeService.Json(404, """{"code":"not-found"}"""));
        await Assert.ThrowsAsync<ServiceException>(() => Run(fake, moveClock: true));
    }

    [Fact]
    public async Task Setup_makes_what_is_missing_and_leaves_what_is_there()
    {
        var nothing = new FakeService((asked, _) => asked switch
        {
            "GET /v1/contracts/C1" => FakeService.Json(404, "{}"),
            _ when asked.StartsWith("GET", StringComparison.Ordinal) => FakeService.Json(200, """{"items":[],"nextCursor":null}"""),
            _ => FakeService.Json(201, "{}"),
        });
        await Setup(nothing);
        Assert.Equal(
            [
                """PUT /v1/contracts/C1 {"clientId":"acme","name":"C1","type":"metered","timeZone":"UTC","startsOn":"2026-01-01","endsOn":null,"unallocatedLifetimeDays":null}""",
                """PUT /v1/contracts/C1/users/anna {"name":"anna"}""",
                """POST /v1/contracts/C1/lots {"lotId":"replay","paymentId":"replay","quantity":4}""",
            ],
            nothing.Asked.Where(asked => !asked.StartsWith("GET", StringComparison.Ordinal)));

        var everything = new FakeService((asked, _) => FakeService.Json(200, """{"items":[{"userId":"anna","lotId":"replay"}],"nextCursor":null}"""));
        await Setup(everything);
        Assert.All(everything.Asked, asked => Assert.StartsWith("GET", asked, StringComparison.Ordinal));
    }

    private static async Task<Tally> Run(FakeService fake, bool moveClock)
    {
        using var service = fake.Open();
        var tally = new Tally();
        await new Replay(service, "C1", "anna", 2, moveClock).Run(Reports, tally, () => { }, Stop);
        return tally;
    }

    private static async Task Setup(FakeService fake)
    {
        using var service = fake.Open();
        await new Setup(service, "acme", "C1", "anna").Run(Reports, Stop);
    }

    private static ReportLine Report(string id, int day, params string[] players) =>
        new(1, id, new(2026, 1, day, 0, 0, 0, TimeSpan.Zero), [.. players.Select(player => new Player(player, null))]);

    private static string What(string asked) => asked.Contains("/clock", StringComparison.Ordinal) ? "clock" : asked.Split('"')[3];
}
