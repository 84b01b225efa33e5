using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class VoidTests
{
    private const string Undone = """
        {"reportId":"R 1","givenBack":[{"playerId":"P1","creditId":"C1~L1~000000001","at":"2026-03-01T12:00:00Z","reason":"wrong"}]}
        """;

    [Fact]
    public async Task R7_a_void_says_what_was_given_back()
    {
        Assert.Equal("P1  C1~L1~000000001  2026-03-01T12:00:00Z\nR 1: 1 given back\n", await Void("R 1", ["P1"], "acme"));
        await Assert.ThrowsAsync<ServiceException>(() => Void("R2", [], null));
    }

    private static async Task<string> Void(string report, string[] players, string? client)
    {
        var fake = new FakeService((asked, body) => (asked, body) switch
        {
            ("POST /v1/reports/R%201/void?clientId=acme", """{"players":["P1"],"reason":"wrong"}""") => FakeService.Json(200, Undone),
            ("POST /v1/reports/R2/void", """{"reason":"wrong"}""") => FakeService.Json(409, """{"code":"hold-over","detail":"The hold is over."}"""),
            _ => FakeService.Json(404, "{}"),
        });
        using var service = fake.Open();
        using var output = new StringWriter { NewLine = "\n" };
        VoidCommand.Write(await VoidCommand.Void(service, report, players, "wrong", client, TestContext.Current.CancellationToken), output);
        return output.ToString();
    }
}
