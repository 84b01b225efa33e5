using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>The second and third seed, clicked through and checked against the API.</summary>
public sealed class SeedStories(Served served)
{
    [Fact]
    public async Task Credits_are_listed_filtered_made_and_edited_with_their_history()
    {
        await served.Call("PUT", "/v1/contracts/SCOUT", new { clientId = "scout", name = "Scouting", type = "metered", timeZone = "America/New_York", startsOn = "2026-01-01" });
        await served.Call("PUT", "/v1/contracts/SCOUT/users", """{"users":[{"userId":"u1","name":"Uma"}]}""");
        var page = await served.Open("op");

        // New credit: client, contract and payment are required.
        await page.GotoAsync("/console/credits?clientId=scout");
        await page.GetByRole(AriaRole.Link, new() { Name = "New credits" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "New credits" })).ToBeVisibleAsync();
        await page.GetByLabel("Contract", new() { Exact = true }).FillAsync("SCOUT");
        await page.GetByLabel("Payment").FillAsync("INV 7/2026");
        await page.GetByLabel("Credits", new() { Exact = true }).FillAsync("3");
        await page.GetByLabel("Reason").FillAsync("goodwill");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Expect(page.GetByText("Created.")).ToBeVisibleAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(3);

        // A report uses one; the list is filtered by status.
        await served.Call("POST", "/v1/reports", """{"reportId":"R1","contractId":"SCOUT","userId":"u1","players":[{"playerId":"P1","name":"Ada"}]}""");
        await page.GotoAsync("/console/credits?clientId=scout");
        await page.GetByLabel("Credit status").SelectOptionAsync("ALLOCATED");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody tr")).ToContainTextAsync("Ada");

        // 09:00 in UTC is 05:00 in New York.
        await Expect(page.Locator("tbody tr")).ToContainTextAsync("2026-03-10 05:00");
        await Expect(page.Locator("caption")).ToContainTextAsync("America/New_York");

        // The edit form frees the player.
        await page.GetByRole(AriaRole.Rowheader).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Credit SCOUT~" })).ToBeVisibleAsync();
        await page.GetByLabel("Credit status").SelectOptionAsync("UNALLOCATED");
        await page.GetByLabel("Player", new() { Exact = true }).FillAsync("");
        await page.GetByLabel("Player name").FillAsync("");
        await page.GetByLabel("Reason").FillAsync("wrong player");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Table)).ToContainTextAsync("wrong player");
        var free = await served.Call("GET", "/v1/credits?clientId=scout&status=UNALLOCATED");
        Assert.Equal(3, free!["items"]!.AsArray().Count);

        // A wrong report is voided for one of its players.
        await served.Call("POST", "/v1/reports", """{"reportId":"R2","contractId":"SCOUT","userId":"u1","players":[{"playerId":"P2"},{"playerId":"P3"}]}""");
        await page.GotoAsync("/console/reports?clientId=scout");
        await page.GetByRole(AriaRole.Link, new() { Name = "R2" }).ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "P3" }).CheckAsync();
        await page.GetByLabel("Reason").FillAsync("wrong squad");
        await page.GetByRole(AriaRole.Button, new() { Name = "Void" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "P3" })).ToContainTextAsync("given back");
        Assert.Equal("P3", (string?)(await served.Call("GET", "/v1/reports/R2?clientId=scout"))!["voided"]!.AsArray().Single()!["playerId"]);

        // Of a lot some credits are withdrawn.
        await page.GotoAsync("/console/contracts/SCOUT/lots");
        await page.GetByRole(AriaRole.Rowheader).GetByRole(AriaRole.Link).ClickAsync();
        await page.GetByLabel("Number").FillAsync("1");
        await page.GetByLabel("Reason of the withdrawal").FillAsync("typed wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
        await Expect(page.GetByText("Withdrawn.")).ToBeVisibleAsync();
        Assert.Equal(1, (int)(await served.Call("GET", "/v1/contracts/SCOUT/lots"))!["items"]![0]!["withdrawn"]!);
    }

    [Fact]
    public async Task Services_credits_are_bought_allocated_and_adjusted_and_the_milestone_completed()
    {
        await served.Call("PUT", "/v1/accounts/CERT", new { clientId = "certus", name = "Certus", timeZone = "Europe/Berlin" });
        var page = await served.Open("op");
        await page.GotoAsync("/console/accounts/CERT");
        foreach (var (id, number, expiry) in new[] { ("LATE", "100", "2026-12-31"), ("SOON", "50.5", "2026-06-30") })
        {
            await page.GetByLabel("Number of services credits").FillAsync(number);
            await page.GetByLabel("Currency", new() { Exact = true }).FillAsync("EUR");
            await page.GetByLabel("Start", new() { Exact = true }).FillAsync("2026-03-01");
            await page.GetByLabel("Expiry", new() { Exact = true }).FillAsync(expiry);
            await page.GetByLabel("Purchase id").FillAsync(id);
            await page.GetByRole(AriaRole.Button, new() { Name = "Record" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Rowheader, new() { Name = id })).ToBeVisibleAsync();
        }

        // A manager plans the milestone.
        page = await served.Open("manager-certus");
        await page.GotoAsync("/console/accounts/CERT");
        await page.GetByLabel("Project id").FillAsync("PRJ");
        await page.GetByLabel("Project currency").FillAsync("EUR");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create project" }).ClickAsync();
        await page.GetByLabel("Milestone id").FillAsync("GO-LIVE");
        await page.GetByLabel("Services Credits", new() { Exact = true }).FillAsync("75");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create milestone" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "GO-LIVE" })).ToBeVisibleAsync();

        // It cannot be completed before its credits are allocated.
        await page.GetByLabel("Status").FillAsync("Completed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The services credits must be allocated first");

        // Manage Services Credits: first what would be allocated, earliest expiry first.
        await page.GetByRole(AriaRole.Link, new() { Name = "Manage Services Credits" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveTextAsync([new Regex("(?s)SOON.*50.5 taken"), new Regex("(?s)LATE.*24.5 taken")]);
        Assert.Equal(0, (decimal)(await served.Call("GET", "/v1/milestones/GO-LIVE"))!["allocated"]!);
        await page.GetByRole(AriaRole.Button, new() { Name = "Allocate" }).ClickAsync();
        await Expect(page.GetByText("The services credits are allocated.")).ToBeVisibleAsync();
        Assert.Equal(75, (decimal)(await served.Call("GET", "/v1/milestones/GO-LIVE"))!["allocated"]!);

        // Then what would be returned, latest expiry first.
        await page.GetByRole(AriaRole.Link, new() { Name = "Manage Services Credits" }).ClickAsync();
        await page.GetByLabel("Adjusted Number of Services Credits").FillAsync("40");
        await Expect(page.Locator("tbody tr")).ToHaveTextAsync([new Regex("(?s)LATE.*24.5 returned"), new Regex("(?s)SOON.*10.5 returned")]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Adjust" }).ClickAsync();
        await Expect(page.GetByText("The services credits are adjusted.")).ToBeVisibleAsync();
        await page.GetByLabel("Status").FillAsync("Completed");
        await page.GetByLabel("Actual date").FillAsync("2026-03-10");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();

        var milestone = (await served.Call("GET", "/v1/milestones/GO-LIVE"))!;
        Assert.Equal((40m, 40m, "Completed", "2026-03-10"), ((decimal)milestone["allocated"]!, (decimal)milestone["servicesCredits"]!, (string)milestone["status"]!, (string)milestone["actualDate"]!));
        Assert.Equal([50.5m, 24.5m, -24.5m, -10.5m], (await served.Call("GET", "/v1/milestones/GO-LIVE/consumptions"))!["items"]!.AsArray().Select(record => (decimal)record!["quantity"]!));
    }
    [Fact]
    public async Task Milestones_of_a_project_are_allocated_together_and_one_from_purchases_chosen_by_hand()
    {
        await served.Call("PUT", "/v1/accounts/MANY", new { clientId = "certus", name = "Many" });
        foreach (var (purchaseId, quantity, expiresOn) in new[] { ("SOON", 50, "2026-06-30"), ("LATE", 100, "2026-12-31") })
            await served.Call("POST", "/v1/accounts/MANY/purchases", new { purchaseId, currency = "EUR", quantity, startsOn = "2026-03-01", expiresOn });
        await served.Call("PUT", "/v1/projects/MANY-P", new { accountId = "MANY", currency = "EUR", name = "Migration" });
        foreach (var (id, servicesCredits) in new[] { ("MANY-1", 30), ("MANY-2", 40), ("MANY-3", 500) })
            await served.Call("PUT", $"/v1/milestones/{id}", new { projectId = "MANY-P", servicesCredits, status = "Planned" });
        var page = await served.Open("manager-certus");
        await page.GotoAsync("/console/accounts/MANY");
        await page.GetByRole(AriaRole.Link, new() { Name = "Allocate milestones of Migration" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveTextAsync([new Regex("(?s)MANY-1.*30 of SOON"), new Regex("(?s)MANY-2.*20 of SOON, 20 of LATE"), new Regex("(?s)MANY-3.*the account has 80")]);

        // One that is left out leaves its part to the others; what is refused to one does not keep the others.
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "MANY-2" }).UncheckAsync();
        await Expect(page.Locator("tbody tr").Last).ToContainTextAsync("the account has 120");
        Assert.Equal(0, await Allocated("MANY-1"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Allocate" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Not all milestones could be allocated");
        Assert.Equal((30, 0, 0), (await Allocated("MANY-1"), await Allocated("MANY-2"), await Allocated("MANY-3")));

        // What still needs allocating is found in one list.
        await page.GotoAsync("/console/milestones");
        await page.GetByLabel("Account").FillAsync("MANY");
        await page.GetByLabel("Allocated").SelectOptionAsync("not wholly");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveTextAsync([new Regex("MANY-2"), new Regex("MANY-3")]);

        // By hand: what is chosen must add up.
        await page.GotoAsync("/console/milestones/MANY-2/manage");
        await page.GetByText("Choose the purchases by hand").ClickAsync();
        await page.GetByLabel("LATE").FillAsync("25");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("40");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Allocate" })).ToBeDisabledAsync();
        await page.GetByLabel("SOON").FillAsync("15");
        await Expect(page.Locator("tbody tr")).ToHaveTextAsync([new Regex("(?s)SOON.*15 taken"), new Regex("(?s)LATE.*25 taken")]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Allocate" }).ClickAsync();
        await Expect(page.GetByText("The services credits are allocated.")).ToBeVisibleAsync();
        var holdings = (await served.Call("GET", "/v1/milestones/MANY-2"))!["holdings"]!.AsArray();
        Assert.Equal([("LATE", 25m), ("SOON", 15m)], holdings.Select(holding => ((string)holding!["purchaseId"]!, (decimal)holding["quantity"]!)).Order());

        // When all of the chosen ones could be, the account is shown.
        await served.Call("PATCH", "/v1/milestones/MANY-3", new { servicesCredits = 1 });
        await page.GotoAsync("/console/projects/MANY-P/allocate");
        await page.GetByRole(AriaRole.Button, new() { Name = "Allocate" }).ClickAsync();
        await Expect(page.GetByText("The services credits are allocated.")).ToBeVisibleAsync();
        Assert.Equal(1, await Allocated("MANY-3"));
    }

    private async Task<decimal> Allocated(string milestoneId) => (decimal)(await served.Call("GET", $"/v1/milestones/{milestoneId}"))!["allocated"]!;
}
