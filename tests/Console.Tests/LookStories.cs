using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>How every page looks to everybody: readable in light and dark, for every role, whatever the names are.</summary>
public sealed class LookStories(Served served)
{
    private const string Hostile = "<script>document.title='hacked'</script><b>\"'&amp; Zoë ☃ שלום";

    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private static readonly string[] Pages =
    [
        "/console", "/console?name=nothing-like-that", "/console/new-contract", "/console/contracts/LOOK", "/console/contracts/LOOK/allocation", "/console/contracts/LOOK/lots", "/console/contracts/LOOK/audit",
        "/console/contracts/LOOK/lots/L1", "/console/accounts/LOOK-A/purchases/P1", "/console/accounts/LOOK-A/audit",
        "/console/contracts/LOOK/statement", "/console/accounts/LOOK-A/statement", "/console/payments?clientId=looks",
        "/console/contracts/LOOK-X", "/console/credits?clientId=looks", "/console/credits/LOOK~L1~000000001", "/console/new-credits", "/console/reports?clientId=looks", "/console/reports/LOOK-1?clientId=looks",
        "/console/usage?clientId=looks", "/console/usage?clientId=looks&groupBy=user", "/console/accounts", "/console/accounts/LOOK-A", "/console/milestones", "/console/milestones/LOOK-M",
        "/console/milestones/LOOK-M/manage", "/console/projects/LOOK-J/allocate", "/console/settings", "/console/ledger?contractId=LOOK", "/console/nowhere", "/console/contracts/nobody",
    ];

    [Fact]
    public async Task No_page_breaks_a_rule_of_accessibility_in_light_or_dark_and_hostile_names_are_shown_as_text()
    {
        await World("looks", "LOOK", Hostile);
        var page = await served.Open("op");
        page.Dialog += (_, dialog) => Assert.Fail(dialog.Message);
        foreach (var path in Pages)
        {
            await page.GotoAsync(path);
            await Check(page, path, "{}");
            Assert.Equal(1, await page.Locator("script").CountAsync());
            Assert.EndsWith(" · CreditGrains", await page.TitleAsync());

            // Only colours differ in the dark.
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await Check(page, $"{path} in the dark", "{ runOnly: ['color-contrast'] }");
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        }
        await page.GotoAsync("/console/contracts/LOOK/allocation");
        await Expect(page.GetByRole(AriaRole.Rowheader).First).ToContainTextAsync(Hostile);
        var signIn = await served.Open(null);
        await signIn.GotoAsync("/console");
        await Check(signIn, "sign in", "{}");
    }

    // In the page itself: the package's own way opens another page for each look.
    private static async Task Check(IPage page, string what, string options)
    {
        if (!await page.EvaluateAsync<bool>("() => 'axe' in window")) await page.EvaluateAsync(Axe);
        var found = await page.EvaluateAsync<string[]>(
            $"async () => (await axe.run(document, {options})).violations.map(rule => `${{rule.help}}: ${{rule.nodes[0].html}}`)");
        Assert.True(found.Length == 0, $"{what}: {string.Join("; ", found)}");
    }

    [Fact]
    public async Task Every_role_sees_and_may_do_what_the_API_lets_it()
    {
        await World("roles", "ROLE", "Roles");
        await served.Call("PUT", "/v1/contracts/OTHER", new { clientId = "other", name = "Another client's", type = "metered", startsOn = "2026-01-01" });
        foreach (var (key, mayManage, mayOperate) in new[] { ("op", true, true), ("manager-roles", true, false), ("auditor", false, false), ("consumer-roles", false, false) })
        {
            var page = await served.Open(key);
            await page.GotoAsync("/console/contracts/ROLE/allocation");
            Assert.Equal(mayManage, await page.GetByRole(AriaRole.Button, new() { Name = "Confirm Credit Allocation" }).IsVisibleAsync());
            await page.GotoAsync("/console/contracts/ROLE");
            Assert.Equal(mayManage, await page.GetByLabel("Name", new() { Exact = true }).IsEnabledAsync());
            Assert.Equal(mayOperate, await page.GetByLabel("Last day").IsEnabledAsync());
            await page.GotoAsync("/console/credits/ROLE~L1~000000001");
            Assert.Equal(mayOperate, await page.GetByLabel("Reason").IsVisibleAsync());

            // What is another client's is not there, as in the API.
            var isBound = key.Contains("roles");
            await page.GotoAsync("/console/contracts/OTHER");
            Assert.Equal(isBound, await page.GetByText("There is no contract OTHER.").IsVisibleAsync());
            await page.GotoAsync("/console");
            Assert.Equal(!isBound, await page.GetByText("Another client's").IsVisibleAsync());
        }

        // A form that a role does not have is refused by the API's own words.
        var auditor = await served.Open("auditor");
        await auditor.GotoAsync("/console/new-contract");
        foreach (var (label, text) in new[] { ("Contract id", "NEW"), ("Client", "roles") }) await auditor.GetByLabel(label, new() { Exact = true }).FillAsync(text);
        await auditor.EvaluateAsync("() => { const form = document.querySelector('form.fields'); form.noValidate = true; form.requestSubmit(); }");
        await Expect(auditor.GetByRole(AriaRole.Alert)).ToContainTextAsync("A key of the role auditor may not do this.");

        // A key of one user sees that user's reports, credits and usage, and nothing else.
        var user = await served.Open("user-roles");
        await Expect(user).ToHaveURLAsync(new Regex("/console/reports$"));
        await Expect(user.GetByRole(AriaRole.Navigation, new() { Name = "Main" })).ToHaveTextAsync(new Regex("^\\s*Reports\\s*Usage\\s*$"));
        await user.GotoAsync("/console/ledger");
        await Expect(user.GetByRole(AriaRole.Alert)).ToContainTextAsync("A key of the role consumer and of one user may not do this.");
    }

    [Fact]
    public async Task Everything_can_be_done_with_the_keyboard()
    {
        await World("start", "KEYS", "Keyboard");
        var page = await served.Open("manager-start");
        await page.GotoAsync("/console");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "To the content" })).ToBeFocusedAsync();
        var menu = page.GetByRole(AriaRole.Row, new() { Name = "Keyboard" }).Filter(new() { HasText = "KEYS" }).Locator("summary").First;
        await menu.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Escape");
        await Expect(menu).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Keyboard", Exact = true })).ToBeVisibleAsync();

        // While a preview comes, the focus and what is typed stay.
        await page.GotoAsync("/console/contracts/KEYS/allocation");
        await page.GetByLabel("Renewal of Keyboard").FocusAsync();
        await page.GetByLabel("Renewal of Keyboard").SelectOptionAsync("daily");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("12");
        await Expect(page.Locator("#preview-status")).ToContainTextAsync("Preview: 1 user changes");
        await Expect(page.GetByLabel("Allocation of Keyboard")).ToBeFocusedAsync();
        await Expect(page.GetByLabel("Allocation of Keyboard")).ToHaveValueAsync("12");
    }

    // The pictures of the README: CREDITGRAINS_SCREENSHOTS names their folder.
    [Fact]
    public async Task The_main_pages_are_taken_as_pictures()
    {
        await World("pictures", "PICTURE", "Scouting 2026");
        await served.Call("PUT", "/v1/contracts/PICTURE/users", """{"users":[{"userId":"anna","name":"Anna Berg"},{"userId":"ben","name":"Ben Ode"},{"userId":"cara","name":"Cara Lim"}]}""");
        await served.Call("PATCH", "/v1/contracts/PICTURE/allocations", """{"enabled":true,"defaults":{"amount":10,"renewal":"weekly","on":"monday"},"users":[{"userId":"anna","amount":10,"renewal":"weekly","on":"monday","startDate":"2026-03-10"},{"userId":"ben","amount":40,"renewal":"fixed"},{"userId":"cara","renewal":"unlimited"}]}""");
        await served.Call("POST", "/v1/reports", """{"reportId":"PICTURE-2","contractId":"PICTURE","userId":"anna","players":[{"playerId":"P4"},{"playerId":"P5"},{"playerId":"P6"}]}""");
        var page = await served.Open("manager-pictures");
        await page.SetViewportSizeAsync(1440, 660);
        await page.GotoAsync("/console/contracts/PICTURE/allocation");
        await page.GetByLabel("Allocation of Anna Berg").FillAsync("20");
        await Expect(page.Locator("tr.warned").First).ToContainTextAsync("Until 2026-03-16");
        await Take("allocation");

        await served.Call("PUT", "/v1/contracts/PICTURE-2", new { clientId = "pictures", name = "Scouting 2027", type = "metered", timeZone = "Europe/London", startsOn = "2027-01-01", endsOn = "2027-12-31" });
        await page.SetViewportSizeAsync(1440, 330);
        await page.GotoAsync("/console/contracts?clientId=pictures");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "Scouting 2027" })).ToBeVisibleAsync();
        await Take("contracts");
        await page.SetViewportSizeAsync(1440, 410);
        await page.GotoAsync("/console/milestones/PICTURE-M/manage");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("5 taken");
        await Take("manage");

        async Task Take(string name)
        {
            if (Environment.GetEnvironmentVariable("CREDITGRAINS_SCREENSHOTS") is { Length: > 0 } folder) await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
        }
    }

    // A little of everything of one client, all of it so named.
    private async Task World(string clientId, string id, string name)
    {
        await served.Call("PUT", $"/v1/contracts/{id}", new { clientId, name, type = "metered", timeZone = "Europe/London", startsOn = "2026-01-01", endsOn = "2026-12-31", notes = name });
        await served.Call("PUT", $"/v1/contracts/{id}-X", new { clientId, name, type = "unlimited", startsOn = "2026-01-01" });
        await served.Call("POST", $"/v1/contracts/{id}/lots", new { lotId = "L1", paymentId = "INV-1", quantity = 50 });
        await served.Call("PUT", $"/v1/contracts/{id}/users", new { users = new[] { new { userId = "anna", name } } });
        await served.Call("POST", "/v1/reports", new { reportId = $"{id}-1", contractId = id, userId = "anna", players = new[] { new { playerId = $"{id}-P1", name }, new { playerId = $"{id}-P2", name } } });
        await served.Call("PUT", $"/v1/accounts/{id}-A", new { clientId, name });
        await served.Call("POST", $"/v1/accounts/{id}-A/purchases", new { purchaseId = "P1", currency = "EUR", quantity = 10, startsOn = "2026-03-01", expiresOn = "2026-12-31", description = name });
        await served.Call("PUT", $"/v1/projects/{id}-J", new { accountId = $"{id}-A", currency = "EUR", name });
        await served.Call("PUT", $"/v1/milestones/{id}-M", new { projectId = $"{id}-J", servicesCredits = 5, status = "Planned", name });
    }
}
