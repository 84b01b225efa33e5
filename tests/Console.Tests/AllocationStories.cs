using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>The first seed, clicked through: a manager assigns users and allocates a contract's credits. Today is Tuesday, 2026-03-10.</summary>
public sealed class AllocationStories(Served served)
{
    [Fact]
    public async Task A_manager_edits_a_contract_assigns_users_and_allocates_its_credits()
    {
        await Contract("WAVE", "wave", "WaveTrackR 2026", "Anna Berg", "Ben Ode");
        await Contract("WAVE-2", "wave", "Another", "Cara Lim");
        var page = await served.Open("manager-wave");

        // Action, "...", Edit Contract.
        await page.GetByRole(AriaRole.Row, new() { Name = "WaveTrackR 2026" }).Locator("summary").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Edit contract" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "WaveTrackR 2026" })).ToBeVisibleAsync();
        foreach (var field in (string[])["Contract id", "Client", "Type", "Time zone", "First day", "Last day"]) await Expect(page.GetByLabel(field, new() { Exact = true }).First).ToBeDisabledAsync();

        // Users, the drop-down list, Save.
        await page.GetByText("2 of 3 users").ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Cara Lim" }).CheckAsync();
        await page.GetByLabel("New user's id").FillAsync("dan@acme.com");
        await page.GetByLabel("New user's name").FillAsync("Dan Roy");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("WaveTrackR");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Saved.");
        Assert.Equal("WaveTrackR", (string?)(await served.Call("GET", "/v1/contracts/WAVE"))!["name"]);
        Assert.Equal(["anna-berg", "ben-ode", "cara-lim", "dan@acme.com"], await Users("WAVE"));

        // User Credits Allocation: the switch, the defaults, everybody the same.
        await page.GetByRole(AriaRole.Link, new() { Name = "User credits allocation" }).ClickAsync();
        await Expect(page.Locator("#total-used")).ToHaveTextAsync("0");
        await Expect(page.Locator("#remaining")).ToHaveTextAsync("500");
        await page.GetByRole(AriaRole.Switch).CheckAsync();
        await page.GetByLabel("Renewal", new() { Exact = true }).SelectOptionAsync("weekly");
        await page.GetByLabel("Frequency", new() { Exact = true }).FillAsync("2");
        await page.GetByLabel("On the", new() { Exact = true }).FillAsync("monday");
        await page.GetByLabel("Allocation", new() { Exact = true }).FillAsync("10");
        await page.GetByLabel("Apply the same settings").CheckAsync();

        // One of them is different, and gets extra credits for the time before the start.
        await page.GetByLabel("Renewal of Cara Lim").SelectOptionAsync("fixed");
        await page.GetByLabel("Allocation of Cara Lim").FillAsync("200");
        await page.GetByLabel("Extra credits of Anna Berg").FillAsync("3");
        await Expect(page.Locator("#preview-status")).ToContainTextAsync("Preview: 4 users change.");
        await Expect(Row(page, "Anna Berg")).ToContainTextAsync("will be 2026-03-16");
        await Expect(page.Locator("tr.warned").First).ToContainTextAsync("Until 2026-03-16");
        Assert.False((bool)(await served.Call("GET", "/v1/contracts/WAVE/allocations"))!["enabled"]!);

        await Confirm(page);
        var window = (await served.Call("GET", "/v1/contracts/WAVE/allocations"))!;
        Assert.True((bool)window["enabled"]!);
        Assert.Equal("weekly", (string?)window["defaults"]!["renewal"]);
        Assert.Equal([10L, 10L, 200L, 10L], window["users"]!.AsArray().Select(user => (long)user!["amount"]!));
        Assert.Equal(["2026-03-16", "2026-03-16", "2026-03-10", "2026-03-16"], window["users"]!.AsArray().Select(user => (string?)user!["startDate"]));
        Assert.Equal("2026-03-30", (string?)window["users"]![0]!["nextRenewalDate"]);
        Assert.Equal(3, (int)window["users"]![0]!["extraCredits"]!);

        // In the middle of a cycle a change resets it: used 0, a new start date, the total stays.
        await served.Call("POST", "/v1/reports", """{"reportId":"R1","contractId":"WAVE","userId":"cara-lim","players":[{"playerId":"P1"},{"playerId":"P2"}]}""");
        await page.ReloadAsync();
        await Expect(page.Locator("#total-used")).ToHaveTextAsync("2");
        await page.GetByLabel("Renewal of Cara Lim").SelectOptionAsync("weekly");
        await page.GetByLabel("On the, of Cara Lim").FillAsync("Friday");
        await page.GetByLabel("Frequency of Cara Lim").FillAsync("1");
        await page.GetByLabel("Allocation of Cara Lim").FillAsync("20");
        await Expect(Row(page, "Cara Lim")).ToContainTextAsync("will be 2026-03-13");
        await Confirm(page);
        var cara = (await served.Call("GET", "/v1/contracts/WAVE/allocations/cara-lim"))!;
        Assert.Equal((0, 2, "2026-03-13"), ((int)cara["usedInCycle"]!, (int)cara["totalUsed"]!, (string)cara["startDate"]!));

        // Inactive users: removed, and disabled.
        await served.Call("POST", "/v1/reports", """{"reportId":"R2","contractId":"WAVE","userId":"anna-berg","players":[{"playerId":"P3"}]}""");
        await page.GetByRole(AriaRole.Link, new() { Name = "WaveTrackR", Exact = true }).ClickAsync();
        await page.GetByText("4 of 4 users").ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "Cara Lim" }).UncheckAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "anna-berg disabled" }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Anna Berg would be disabled for all contracts of wave: WaveTrackR.");
        Assert.False(await IsDisabled("anna-berg"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Save all the same" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Saved.");
        await page.GotoAsync("/console/contracts/WAVE/allocation");
        await Expect(page.Locator("#inactive-disabled")).ToContainTextAsync("Anna Berg");
        await Expect(page.Locator("#inactive-not-assigned")).ToContainTextAsync("Cara Lim");

        // Enabling takes nothing away, so it needs no second word.
        await page.GotoAsync("/console/contracts/WAVE");
        await page.GetByText("3 of 4 users").ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "anna-berg disabled" }).UncheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Saved.");
        Assert.False(await IsDisabled("anna-berg"));
    }

    [Fact]
    public async Task Of_two_managers_who_confirm_at_once_the_second_is_told_what_the_first_has_changed()
    {
        await Contract("TWO", "two", "Two managers", "Anna Berg", "Ben Ode");
        var (first, second) = (await served.Open("manager-two"), await served.Open("manager-two"));
        foreach (var page in new[] { first, second }) await page.GotoAsync("/console/contracts/TWO/allocation");
        foreach (var (page, user, amount) in new[] { (first, "Anna Berg", "5"), (second, "Ben Ode", "7") })
        {
            await page.GetByLabel($"Renewal of {user}").SelectOptionAsync("daily");
            await page.GetByLabel($"Allocation of {user}").FillAsync(amount);
            await Expect(Row(page, user)).ToContainTextAsync("will be 2026-03-11");
        }
        await Confirm(first);
        await second.GetByRole(AriaRole.Button, new() { Name = "Confirm Credit Allocation" }).ClickAsync();
        await Expect(second.GetByRole(AriaRole.Alert).Filter(new() { HasText = "Somebody has changed" })).ToContainTextAsync("Anna Berg: renewal none, now daily; amount none, now 5");
        await Expect(second.GetByLabel("Allocation of Ben Ode")).ToHaveValueAsync("7");

        // What the first has done stays.
        await Confirm(second);
        var users = (await served.Call("GET", "/v1/contracts/TWO/allocations"))!["users"]!.AsArray();
        Assert.Equal([5, 7], users.Select(user => (int)user!["amount"]!));
    }

    [Fact]
    public async Task What_an_allocation_must_be_is_said_in_the_words_of_the_API()
    {
        await Contract("WORDS", "two", "Words", "Eve Ott");
        var page = await served.Open("manager-two");
        await page.GotoAsync("/console/contracts/WORDS/allocation");
        await page.GetByLabel("Renewal of Eve Ott").SelectOptionAsync("weekly");
        await page.GetByLabel("Allocation of Eve Ott").FillAsync("5");
        await page.GetByLabel("On the, of Eve Ott").FillAsync("31");
        await Expect(page.Locator("tr.warned")).ToHaveTextAsync("on must be monday to sunday where renewal is weekly.");
        var answer = await served.Call(
            "PATCH", "/v1/contracts/WORDS/allocations", """{"users":[{"userId":"eve-ott","amount":5,"renewal":"weekly","on":31}]}""", status: 422);
        Assert.Equal("users[0].on must be monday to sunday where renewal is weekly.", (string?)answer!["detail"]);
    }

    // A generous bound each, for one silo, the browser and other tests share the machine. Fields are found by their names: labels of 2,000 cost seconds.
    [Fact]
    public async Task The_window_of_300_users_is_shown_previewed_and_confirmed_without_a_long_wait()
    {
        const int Bound = 15_000;
        await Contract("BIG", "big", "Big", [.. Enumerable.Range(1, 300).Select(i => $"User {i:000}")]);
        var page = await served.Open("manager-big");
        await page.GotoAsync("/console/contracts/BIG/allocation");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(300);
        await page.Locator("[name='u299.renewal']").SelectOptionAsync("daily");
        await page.Locator("[name='u299.amount']").FillAsync("7");
        await Told("#preview-status", "Preview: 1 user changes.");
        await page.Locator("[name='d.amount']").FillAsync("10");
        await page.Locator("[name='d.on']").FillAsync("monday");
        await page.Locator("[name='d.renewal']").SelectOptionAsync("weekly");
        await page.Locator("[name=applyToAll]").CheckAsync();
        await Told("#preview-status", "Preview: 300 users change.");
        await page.Locator("button[value=confirm]").ClickAsync();
        await Told(".notice", "The credit allocation is confirmed.");
        var users = (await served.Call("GET", "/v1/contracts/BIG/allocations"))!["users"]!.AsArray();
        Assert.Equal((299, 1), (users.Count(user => (int)user!["amount"]! == 10), users.Count(user => (int)user!["amount"]! == 7)));

        // Not by an expectation, which would tell the whole page where it is not met.
        Task Told(string where, string text) => page.Locator(where).Filter(new() { HasText = text }).WaitForAsync(new() { Timeout = Bound });
    }

    internal static ILocator Row(IPage page, string user) => page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByRole(AriaRole.Rowheader, new() { Name = user }) });

    private static async Task Confirm(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm Credit Allocation" }).ClickAsync();
        await Expect(page.GetByText("The credit allocation is confirmed.")).ToBeVisibleAsync();
    }

    private async Task Contract(string contractId, string clientId, string name, params string[] users)
    {
        await served.Call("PUT", $"/v1/contracts/{contractId}", new { clientId, name, type = "metered", timeZone = "Europe/London", startsOn = "2026-01-01", endsOn = "2026-12-31" });
        await served.Call("POST", $"/v1/contracts/{contractId}/lots", new { paymentId = "INV-1", quantity = 500 });
        await served.Call("PUT", $"/v1/contracts/{contractId}/users", new { users = users.Select(user => new { userId = user.ToLowerInvariant().Replace(' ', '-'), name = user }) });
    }

    private async Task<bool> IsDisabled(string userId) => (bool)(await served.Call("GET", $"/v1/users/{userId}?clientId=wave"))!["disabled"]!;

    private async Task<IEnumerable<string?>> Users(string contractId) =>
        (await served.Call("GET", $"/v1/contracts/{contractId}/users"))!["items"]!.AsArray().Select(user => (string?)user!["userId"]);
}
