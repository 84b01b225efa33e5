using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace CreditGrains.Pages.Tests;

/// <summary>What was bought, used and booked, as a manager and an auditor read it.</summary>
public sealed class BookStories(Served served)
{
    [Fact]
    public async Task A_statement_leads_from_the_opening_by_kind_payment_and_user_to_the_closing_G5()
    {
        await Contract("BOOK");
        var page = await served.Open("manager-books");
        await page.GotoAsync("/console/contracts/BOOK");
        await page.GetByRole(AriaRole.Link, new() { Name = "Statement" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Statement" })).ToBeVisibleAsync();

        // Without dates: this month until now.
        await Expect(page.GetByLabel("From")).ToHaveValueAsync("2026-03-01");
        await Expect(page.GetByLabel("To")).ToHaveValueAsync("2026-03-10");
        await Rows(
            page, "Opening 0 0 0 0", "Lot granted INV-1 – 100 +100 0 0 0", "Lot granted INV-2 – 50 +50 0 0 0", "Lot withdrawn INV-2 – 5 -5 0 0 +5",
            "Credits charged INV-1 Anna anna 2 -2 +2 0 0", "Closing 143 2 0 5");
        await page.GetByLabel("To").FillAsync("2026-03-09");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Rows(page, "Opening 0 0 0 0", "Nothing moved in this time.", "Closing 0 0 0 0");
        await page.GetByLabel("To").FillAsync("2026-03-11");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("to must be today, 2026-03-10, or earlier.");

        // Of an account each currency by itself.
        await served.Call("PUT", "/v1/accounts/BOOK-A", new { clientId = "books", name = "Books" });
        foreach (var currency in new[] { "EUR", "USD" })
            await served.Call("POST", "/v1/accounts/BOOK-A/purchases", new { purchaseId = currency, currency, quantity = 10.5, startsOn = "2026-03-01", expiresOn = "2026-12-31" });
        await page.GotoAsync("/console/accounts/BOOK-A");
        await page.GetByRole(AriaRole.Link, new() { Name = "Statement" }).ClickAsync();
        await Rows(
            page, "Opening 0 0 0 0", "Services credits bought EUR – 10.5 +10.5 0 0 0", "Closing 10.5 0 0 0",
            "Opening 0 0 0 0", "Services credits bought USD – 10.5 +10.5 0 0 0", "Closing 10.5 0 0 0");
    }

    [Fact]
    public async Task Payments_have_the_sums_of_their_lots_and_lead_to_their_credits_which_are_counted_by_status_P4()
    {
        await Contract("PAID");
        var page = await served.Open("manager-books");
        await page.GotoAsync("/console/contracts/PAID");
        await page.GetByRole(AriaRole.Link, new() { Name = "Payments" }).And(page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link)).ClickAsync();
        await Rows(
            page, "INV-1 books 1 100 98 2 0 0 2026-03-10 09:00 2026-03-10 09:00", "INV-2 books 1 50 45 0 0 5 2026-03-10 09:00 2026-03-10 09:00");
        await page.GetByRole(AriaRole.Link, new() { Name = "INV-1" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.List, new() { Name = "Credits by status" })).ToHaveTextAsync(Words("UNALLOCATED 98 ALLOCATED 2 EXPIRED 0 WITHDRAWN 0"));
        await page.GetByRole(AriaRole.Link, new() { Name = "ALLOCATED", Exact = true }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await Expect(page.GetByLabel("Payment")).ToHaveValueAsync("INV-1");
    }

    [Fact]
    public async Task An_operator_makes_a_contract_with_all_of_its_terms_C1()
    {
        var page = await served.Open("op");
        await page.GetByRole(AriaRole.Link, new() { Name = "New contract" }).ClickAsync();
        foreach (var (label, text) in new[]
        {
            ("Contract id", "TERMS"), ("Client", "books"), ("Name", "All terms"), ("First day", "2026-01-01"), ("Coverage, in days", "7"), ("Consumers may void, in minutes", "45"),
            ("Notes", "Renewed by telephone"),
        }) await page.GetByLabel(label, new() { Exact = true }).FillAsync(text);
        await page.GetByLabel("Coverage counts from").SelectOptionAsync("creation");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Created.")).ToBeVisibleAsync();
        var terms = (await served.Call("GET", "/v1/contracts/TERMS"))!;
        Assert.Equal((45, 7, "creation", "Renewed by telephone"), ((int)terms["voidMinutes"]!, (int)terms["coverageDays"]!, (string)terms["coverageFrom"]!, (string)terms["notes"]!));

        await page.GetByLabel("Consumers may void, in minutes").FillAsync("0");
        await page.GetByLabel("Coverage counts from").SelectOptionAsync("activation");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("Saved.")).ToBeVisibleAsync();
        terms = (await served.Call("GET", "/v1/contracts/TERMS"))!;
        Assert.Equal((0, "activation"), ((int)terms["voidMinutes"]!, (string)terms["coverageFrom"]!));
    }

    [Fact]
    public async Task What_a_page_lists_is_downloaded_as_CSV_whole_with_its_filters_and_for_the_caller_of_the_session()
    {
        await Contract("FILE");
        await served.Call("POST", "/v1/contracts/FILE/lots", new { lotId = "many", paymentId = "@SUM", quantity = 1200 });
        await served.Call("PUT", "/v1/accounts/FILE-A", new { clientId = "books", name = "Files" });
        var page = await served.Open("manager-books");
        foreach (var (shown, asked) in new[]
        {
            ("/console/credits?contractId=FILE&status=UNALLOCATED", "/v1/credits?contractId=FILE&status=UNALLOCATED"),
            ("/console/reports?contractId=FILE", "/v1/reports?contractId=FILE&order=desc"), ("/console/ledger?contractId=FILE", "/v1/ledger?contractId=FILE&order=desc"),
            ("/console/usage?contractId=FILE&groupBy=user", "/v1/usage?contractId=FILE&groupBy=user"), ("/console/usage?contractId=FILE", "/v1/usage?contractId=FILE&groupBy=month"),
            ("/console/contracts/FILE/statement?from=2026-03-01&to=2026-03-09", "/v1/contracts/FILE/statement?from=2026-03-01&to=2026-03-09"),
            ("/console/contracts?name=FILE", "/v1/contracts?name=FILE"), ("/console/contracts/FILE/lots", "/v1/contracts/FILE/lots"),
            ("/console/payments?contractId=FILE", "/v1/payments?contractId=FILE"), ("/console/milestones?accountId=FILE-A", "/v1/milestones?accountId=FILE-A"),
        })
        {
            await page.GotoAsync(shown);
            var file = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "CSV", Exact = true }).ClickAsync());
            Assert.EndsWith(".csv", file.SuggestedFilename);
            Assert.Equal(await Csv(asked), await File.ReadAllTextAsync(await file.PathAsync(), TestContext.Current.CancellationToken));
        }
        Assert.Equal(1200 + 100 - 2 + 45 + 1, (await Csv("/v1/credits?contractId=FILE&status=UNALLOCATED")).Count(letter => letter == '\n'));

        // What the caller may not have is told as on every page.
        await page.GotoAsync("/console/contracts/TERMS-OF-NOBODY/lots.csv");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("There is no contract TERMS-OF-NOBODY.");
        await page.GotoAsync("/console/credits.csv?status=LOST");
        await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync("status must be");
        var nobody = await served.Open(null);
        await nobody.GotoAsync("/console/credits.csv");
        await Expect(nobody).ToHaveTitleAsync("Sign in · CreditGrains");
    }

    private async Task<string> Csv(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", Served.KeyOf("manager-books")) } };
        request.Headers.Accept.ParseAdd("text/csv");
        using var answer = await served.Http.SendAsync(request);
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    // Two payments; anna has used two credits of the first, five of the second are withdrawn.
    private async Task Contract(string contractId)
    {
        await served.Call("PUT", $"/v1/contracts/{contractId}", new { clientId = "books", name = contractId, type = "metered", timeZone = "Europe/London", startsOn = "2026-01-01", endsOn = "2026-12-31" });
        foreach (var (lotId, quantity) in new[] { ("1", 100), ("2", 50) })
            await served.Call("POST", $"/v1/contracts/{contractId}/lots", new { lotId, paymentId = $"INV-{lotId}", quantity });
        await served.Call("POST", $"/v1/contracts/{contractId}/lots/2/withdraw", new { quantity = 5, reason = "typed wrong" });
        await served.Call("PUT", $"/v1/contracts/{contractId}/users", """{"users":[{"userId":"anna","name":"Anna"}]}""");
        await served.Call("POST", "/v1/reports", new { reportId = contractId, contractId, userId = "anna", players = new[] { new { playerId = $"{contractId}-1" }, new { playerId = $"{contractId}-2" } } });
    }

    private static Task Rows(IPage page, params string[] rows) => Expect(page.Locator("tbody tr")).ToHaveTextAsync(rows.Select(Words));

    // Cells follow each other with or without a space.
    private static Regex Words(string words) => new($@"^\s*{string.Join(@"\s*", words.Split(' ').Select(Regex.Escape))}\s*$");
}
