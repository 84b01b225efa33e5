using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>R5 when the store cannot write any more: 503, and whatever was answered is there.</summary>
public sealed class FullDisk
{
    [Fact]
    public async Task R5_What_was_answered_before_the_disk_was_full_is_there_afterwards()
    {
        await using var edition = await Edition.Start(new(TestClock: Day(0), MaxFileBytes: 1 << 20, IsProcess: true));
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 1_000_000);

        var answered = new List<Answer>();
        Answer last;
        do
        {
            last = await api.Report($"R{answered.Count}", Some($"p{answered.Count}", 100));
            if (last.Status == 201) answered.Add(last);
        }
        while (last.Status == 201 && answered.Count < 1_000);
        last.Is(503, "unavailable");
        Assert.NotNull(last.Headers.RetryAfter);

        await edition.Kill();
        await edition.Restart(new(TestClock: Day(0)));
        foreach (var report in answered)
            Assert.Equal(report.Text, (await api.Get($"/v1/reports/{report["reportId"]}?clientId=A")).Is(200).Text);
        Assert.True((await api.Report($"R{answered.Count}", Some($"p{answered.Count}", 100))).Status is 200 or 201);
        Assert.Equal(100 * (answered.Count + 1), (int)(await api.Balanced())["used"]!);
    }
}
