using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>Every list is read in either order, and its cursors keep it (§3).</summary>
public sealed class OrderStories(OrderStories.World world) : IClassFixture<OrderStories.World>
{
    private Api Api => world.Api;

    /// <summary>Something in every list.</summary>
    public sealed class World : IAsyncLifetime
    {
        private readonly Served served = new();

        internal Api Api => served.Api;

        public async ValueTask InitializeAsync()
        {
            await served.InitializeAsync();
            await Api.Grant("G2", 3);
            (await Api.Report("R2", ["P2", "P3"])).Is(201);
            (await Api.Report("R3", ["P4"], user: "U2")).Is(201);
            await Api.Account("A2", "B");
            await Api.Buy("P2", 7);
            (await Api.Put("/v1/projects/J2", new { accountId = "A1", currency = "EUR" })).Is(201);
            (await Api.Milestone("M2", 3)).Is(201);
            (await Api.Allocate("M2")).Is(200);
        }

        public ValueTask DisposeAsync() => served.DisposeAsync();
    }

    [Theory]
    [InlineData("/v1/contracts")]
    [InlineData("/v1/contracts?type=metered&state=running")]
    [InlineData("/v1/clients")]
    [InlineData("/v1/users")]
    [InlineData("/v1/users?clientId=A&name=u")]
    [InlineData("/v1/ledger?kind=credits-charged&actor=local")]
    [InlineData("/v1/contracts/C1/lots?paymentId=PAY-1")]
    [InlineData("/v1/contracts/C1/users")]
    [InlineData("/v1/contracts/C1/lots")]
    [InlineData("/v1/users/U1/allocations?clientId=A", 1)]
    [InlineData("/v1/reports")]
    [InlineData("/v1/credits?contractId=C1")]
    [InlineData("/v1/credits?status=UNALLOCATED")]
    [InlineData("/v1/credits?status=ALLOCATED&userId=U1")]
    [InlineData("/v1/credits?status=UNALLOCATED,ALLOCATED")]
    [InlineData("/v1/credits?reportId=R2&clientId=A")]
    [InlineData("/v1/payments")]
    [InlineData("/v1/usage?groupBy=contract,user,day")]
    [InlineData("/v1/ledger")]
    [InlineData("/v1/usage?groupBy=user")]
    [InlineData("/v1/accounts")]
    [InlineData("/v1/accounts/A1/purchases")]
    [InlineData("/v1/accounts/A1/consumptions")]
    [InlineData("/v1/accounts/A1/allocations")]
    [InlineData("/v1/milestones/M1/consumptions", 1)]
    [InlineData("/v1/milestones/M1/allocations", 1)]
    [InlineData("/v1/projects")]
    [InlineData("/v1/milestones")]
    public async Task A_list_from_its_end_is_the_list_from_its_beginning(string path, int least = 2)
    {
        var query = path.Contains('?') ? $"{path}&" : $"{path}?";
        var all = await Api.All(path);
        Assert.True(all.Count >= least, $"{all.Count} items");

        Assert.Equal(Texts(all), Texts(await Api.All($"{query}order=asc", 1)));
        foreach (var limit in (int[])[1, 2, 1000])
            Assert.Equal(Enumerable.Reverse(Texts(all)), Texts(await Api.All($"{query}order=desc", limit)));
    }

    [Fact]
    public async Task A_cursor_keeps_its_order()
    {
        var first = (await Api.Get("/v1/ledger?order=desc&limit=2")).Is(200);
        var cursor = Uri.EscapeDataString((string)first["nextCursor"]!);

        var next = (await Api.Get($"/v1/ledger?limit=2&cursor={cursor}")).Is(200);
        Assert.Equal(next.Text, (await Api.Get($"/v1/ledger?limit=2&order=desc&cursor={cursor}")).Is(200).Text);
        Assert.True((long)next.Items[0]!["entryId"]! < (long)first.Items[1]!["entryId"]!);
        (await Api.Get($"/v1/ledger?order=asc&cursor={cursor}")).Is(400, "malformed", "cursor");
        Assert.Contains("order=desc", first.Headers.GetValues("Link").Single());
    }

    // Lots that have fallen due and are not booked are in the list all the same (T3).
    [Fact]
    public async Task T3_What_is_due_and_not_booked_lies_where_it_will_be()
    {
        await using var edition = await Words.AtDay0();
        var api = edition.Api;
        (await api.Put("/v1/contracts/C9", Words.Terms(terms: new { startsOn = "2026-03-01", billingCycle = new { unit = "month", every = 1, credits = 4 } }))).Is(201);
        await api.Clock(Words.Day(40));
        foreach (var path in (string[])["/v1/contracts/C9/lots", "/v1/credits?contractId=C9"])
        {
            var all = Texts(await api.All(path));
            Assert.True(all.Count >= 2);
            Assert.Equal(Enumerable.Reverse(all), Texts(await api.All($"{path}{(path.Contains('?') ? '&' : '?')}order=desc", 1)));
        }
    }

    private static List<string> Texts(IEnumerable<JsonNode> items) => [.. items.Select(item => item.ToJsonString())];
}
