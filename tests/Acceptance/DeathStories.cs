using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>What was answered is there after a stop and after kills (R5): reports, windows and services credits of one process.</summary>
public sealed class DeathStories
{
    private const string Window = "/v1/contracts/C2/allocations";

    [Fact]
    public async Task R5_What_was_answered_is_there_after_a_stop_and_after_each_kill_and_happens_once()
    {
        await using var edition = await ProcessAtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("L1", 10);
        var first = (await api.Report("R1", ["P1"])).Is(201);

        await edition.Stop();
        await edition.Restart(new(TestClock: Day(0)));
        Assert.Equal(first.Text, (await api.Report("R1", ["P1"])).Is(200).Text);
        var second = (await api.Report("R2", ["P1", "P2"])).Is(201);
        Assert.Equal("L1:1", second.Draws());

        // A window is previewed, and a milestone is allocated.
        await api.Contract("C2", "B");
        await api.Grant("G1", 100, contract: "C2");
        var weekly = new { userId = "U1", amount = 5, renewal = "weekly", on = "monday", startDate = Date(0) };
        var token = (string)(await api.Post($"{Window}/preview", new { enabled = true, users = new[] { weekly } })).Is(200)["confirmationToken"]!;
        (await api.Report("S1", ["P1"], "C2")).Is(201);
        await api.Account();
        await api.Buy("P1", 10.25m);
        await api.Project();
        (await api.Milestone("M1", 4.5m)).Is(201);
        (await api.Allocate("M1")).Is(200);

        await edition.Kill();
        await edition.Restart(new(TestClock: Day(0)));
        Assert.Equal(second.Text, (await api.Report("R2", ["P1", "P2"])).Is(200).Text);
        Assert.Equal(2, (int)(await api.Balanced())["used"]!);
        var confirmed = (await api.Post($"{Window}/confirm", new { confirmationToken = token })).Is(200);
        (await api.Report("S2", Some("a", 5), "C2")).Is(201);
        Assert.Equal("", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("EUR 5.75/4.5/0", await api.ServicesBalance());
        Assert.Equal("P1:-0.5", (await api.Adjust("M1", 4)).Is(200).Moved());

        await edition.Kill();
        await edition.Restart(new(TestClock: Day(0)));
        Assert.Equal(confirmed.Text, (await api.Post($"{Window}/confirm", new { confirmationToken = token })).Is(200).Text);
        (await api.Report("S3", ["P3"], "C2")).Is(402, "insufficient-allocation");
        Assert.Equal(6, (int)(await api.Get($"{Window}/U1")).Is(200)["totalUsed"]!);
        await api.Balanced("C2");
        Assert.Equal("EUR 6.25/4/0", await api.ServicesBalance());
        await api.RecordsAddUp("J1");
    }
}
