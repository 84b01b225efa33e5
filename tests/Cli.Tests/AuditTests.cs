using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class AuditTests
{
    private const string Balanced = """{"contractId":"C1","balanced":true,"granted":100,"minted":0,"unallocated":98,"allocated":2,"expired":0,"withdrawn":0,"used":2,"differences":[]}""";

    private const string Differing = """{"contractId":"C2","balanced":false,"granted":5,"minted":0,"unallocated":4,"allocated":0,"expired":0,"withdrawn":0,"used":1,"differences":[{"subject":"lot:L1","what":"allocated","fromEntries":1,"fromState":0}]}""";

    private const string Account = """{"accountId":"A1","balanced":true,"currencies":[{"currency":"EUR","bought":50.5,"available":45.5,"allocated":5,"expired":0}],"differences":[]}""";

    private const string DifferingAccount = """{"accountId":"A2","balanced":false,"currencies":[],"differences":[{"subject":"purchase:A2~P1","what":"sum","fromEntries":5,"fromState":4.5}]}""";

    [Fact]
    public async Task G2_books_that_balance_say_so()
    {
        var (code, output) = await Audit(["C1"], null, "A1");
        Assert.Equal(0, code);
        Assert.Matches(@"C1 +100 +0 +98 +2 +0 +0 balance", output);
        Assert.Matches(@"A1 +EUR +50.5 +45.5 +5 +0 balance", output);
    }

    [Fact]
    public async Task G2_each_number_that_the_entries_do_not_make_is_named()
    {
        var (code, output) = await Audit([], "acme");
        Assert.Equal(1, code);
        Assert.Matches(@"C2 +5 +0 +4 +0 +0 +0 differ", output);
        Assert.Matches(@"A2 +differ", output);
        Assert.EndsWith(
            "C2: lot:L1 allocated is 0, the entries make 1\nA2: purchase:A2~P1 sum is 4.5, the entries make 5\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G2_an_account_s_books_that_differ_are_told_by_the_exit_code()
    {
        var (code, output) = await Audit([], null, "A1", "A2");
        Assert.Equal(1, code);
        Assert.DoesNotContain("contract", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_that_is_not_there_is_an_error() =>
        await Assert.ThrowsAsync<ServiceException>(() => Audit(["C1"], null, "A3"));

    [Fact]
    public async Task A_contract_that_is_not_there_is_an_error() => await Assert.ThrowsAsync<ServiceException>(() => Audit(["C3"], null));

    [Fact]
    public async Task A_client_with_accounts_alone_is_audited() => Assert.Equal(0, (await Audit([], "services")).Code);

    [Fact]
    public async Task A_client_without_contracts_and_accounts_is_an_error() =>
        Assert.Contains("acmee", (await Assert.ThrowsAsync<ServiceException>(() => Audit([], "acmee"))).Message, StringComparison.Ordinal);

    private static async Task<(int Code, string Output)> Audit(string[] contracts, string? client, params string[] accounts)
    {
        var fake = new FakeService((asked, _) => asked switch
        {
            "GET /v1/contracts?clientId=acme&limit=1000" => FakeService.Json(200, """{"items":[{"contractId":"C1"},{"contractId":"C2"}],"nextCursor":null}"""),
            "GET /v1/contracts?clientId=acmee&limit=1000" => FakeService.Json(200, """{"items":[],"nextCursor":null}"""),
            "GET /v1/contracts?clientId=services&limit=1000" or "GET /v1/accounts?clientId=acmee&limit=1000" =>
                FakeService.Json(200, """{"items":[],"nextCursor":null}"""),
            "GET /v1/accounts?clientId=acme&limit=1000" =>
                FakeService.Json(200, """{"items":[{"accountId":"A1"},{"accountId":"A2"}],"nextCursor":null}"""),
            "GET /v1/accounts?clientId=services&limit=1000" => FakeService.Json(200, """{"items":[{"accountId":"A1"}],"nextCursor":null}"""),
            "GET /v1/accounts/A1/audit" => FakeService.Json(200, Account),
            "GET /v1/accounts/A2/audit" => FakeService.Json(200, DifferingAccount),
            "GET /v1/contracts/C1/audit" or "GET /v1/contracts/C1/audit?full=true" => FakeService.Json(200, Balanced),
            "GET /v1/contracts/C2/audit" => FakeService.Json(200, Differing),
            _ => FakeService.Json(404, """{"code":"not-found","detail":"There is no such contract."}"""),
        });
        using var service = fake.Open();
        using var output = new StringWriter();
        return (AuditCommand.Write(await AuditCommand.Audit(service, contracts, accounts, client, isFull: contracts.Length == 1, TestContext.Current.CancellationToken), output), output.ToString());
    }
}
