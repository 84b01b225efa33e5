using CreditGrains.Editions;
using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>What silos that die, and answers that are lost, do to somebody who clicks: nothing (R5).</summary>
public sealed class DeathStories(Served served)
{
    [Fact]
    public async Task A_silo_that_is_killed_between_two_clicks_costs_nothing_and_a_lost_answer_adds_nothing_twice()
    {
        // Both make their keys at once, on an empty store.
        var postgres = await SharedPostgres.NewDatabase();
        await using var dying = SiloProcess.Cluster(postgres);
        var url = $"http://127.0.0.1:{Child.FreePort()}";
        var starting = dying.Start(new(Served.Now, served.KeysFile));
        await using var staying = await served.Start(new() { Urls = url, Postgres = postgres, SiloPort = Child.FreePort(), GatewayPort = Child.FreePort(), ClusterId = "test" });
        await starting;
        await served.Call("PUT", $"{url}/v1/contracts/DEATH", new { clientId = "death", name = "Death", type = "metered", startsOn = "2026-01-01" });
        await served.Call("PUT", $"{url}/v1/contracts/DEATH/users", """{"users":[{"userId":"anna","name":"Anna Berg"}]}""");

        // Two forms, both from the silo that will die: a preview that is to be confirmed, and a purchase.
        await using var door = new Door(dying.Url, url);
        var allocation = await served.Open("manager-death", door.Url);
        await allocation.GotoAsync("/console/contracts/DEATH/allocation");
        await allocation.GetByRole(AriaRole.Switch).CheckAsync();
        await allocation.GetByLabel("Renewal of Anna Berg").SelectOptionAsync("daily");
        await allocation.GetByLabel("Allocation of Anna Berg").FillAsync("5");
        await Expect(allocation.Locator("#preview-status")).ToContainTextAsync("Preview: 1 user changes");
        var lots = await served.Open("op", door.Url);
        await lots.GotoAsync("/console/contracts/DEATH/lots");
        await Fill(lots, "INV-1");

        await dying.Kill();
        await Click(allocation, "Confirm Credit Allocation");
        await Expect(allocation.GetByText("The credit allocation is confirmed.")).ToBeVisibleAsync();
        await Click(lots, "Add");
        await Expect(lots.GetByText("Created.")).ToBeVisibleAsync();
        Assert.Equal([("INV-1", 10)], await Lots());
        Assert.Equal(5, (int)(await served.Call("GET", $"{url}/v1/contracts/DEATH/allocations/anna"))!["amount"]!);
        Assert.Single((await served.Call("GET", $"{url}/v1/ledger?contractId=DEATH&kind=allocation-set"))!["items"]!.AsArray());

        // Where the answer is lost the browser, or whoever uses it, sends the form again.
        await Fill(lots, "INV-2");
        door.LoseNextAnswer();
        await lots.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        var lost = lots.GetByText("The console cannot be reached");
        await Expect(lost.Or(lots.GetByRole(AriaRole.Rowheader).Nth(1))).ToBeVisibleAsync();
        if (await lost.IsVisibleAsync()) await lots.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(lots.GetByRole(AriaRole.Rowheader).Nth(1)).ToBeVisibleAsync();
        Assert.Equal([("INV-1", 10), ("INV-2", 10)], await Lots());

        async Task<IEnumerable<(string, int)>> Lots() => (await served.Call("GET", $"{url}/v1/contracts/DEATH/lots"))!["items"]!.AsArray()
            .Select(lot => ((string)lot!["paymentId"]!, (int)lot["quantity"]!));
    }

    [Fact]
    public async Task Of_silos_that_start_at_once_the_first_makes_the_key_of_all()
    {
        var ring = served.Services.GetRequiredService<IGrainFactory>().GetGrain<IKeyRingGrain>(1);
        await ring.Add("<first/>", 0);
        await ring.Add("<meanwhile/>", 0);
        Assert.Equal(["<first/>"], await ring.Read());
        await ring.Add("<next/>", 1);
        Assert.Equal(["<first/>", "<next/>"], await ring.Read());
    }

    // A call of a grain that died with its silo may be lost: the page says so, and whoever clicked clicks again.
    private static async Task Click(IPage page, string button)
    {
        IResponse answer;
        do answer = await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync(), answer => answer.Request.Method == "POST");
        while (answer.Status >= 500);
    }

    private static async Task Fill(IPage page, string payment)
    {
        await page.GetByLabel("Payment").FillAsync(payment);
        await page.GetByLabel("Credits", new() { Exact = true }).FillAsync("10");
    }
}
