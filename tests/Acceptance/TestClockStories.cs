namespace CreditGrains.Acceptance;

/// <summary>The test clock's state is data (T4).</summary>
public sealed class TestClockStories
{
    [Fact]
    public async Task T4_data_whose_test_clock_is_in_the_past_is_taken_without_one_and_again_with_one()
    {
        await using var edition = await Edition.Start(new(TestClock: "2020-01-01T00:00:00Z"));
        await edition.Restart(new());
        (await edition.Api.Get("/v1/clock")).Is(404, "not-found");
        await edition.Restart(new(TestClock: "2020-01-01T00:00:00Z"));
        (await edition.Api.Get("/v1/clock")).Is(200);
    }

    [Fact]
    public async Task T4_data_that_a_test_clock_has_moved_ahead_is_refused_without_one()
    {
        await using var edition = await Edition.Start(new(TestClock: "2020-01-01T00:00:00Z", IsProcess: true));
        await edition.Api.Clock("2999-01-01T00:00:00Z");
        await edition.Stop();

        await StartStories.Refused(edition, "2999-01-01T00:00:00Z");
        await edition.Restart(new(TestClock: "2020-01-01T00:00:00Z"));
        Assert.Equal("2999-01-01T00:00:00Z", (string?)(await edition.Api.Get("/v1/clock"))["now"]);
    }
}
