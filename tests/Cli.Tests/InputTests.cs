using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class InputTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("credits").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("", "holds no reports")]
    [InlineData("{\"reportId\":\"R1\",\"at\":\"2026-01-01T00:00:00Z\",\"players\":[{\"playerId\":\"a\"}]}\n\nnonsense", "Line 3:")]
    [InlineData("{\"at\":\"2026-01-01T00:00:00Z\",\"players\":[{\"playerId\":\"a\"}]}", "Line 1: a report has a reportId")]
    [InlineData("{\"reportId\":\"R1\",\"at\":\"yesterday\",\"players\":[{\"playerId\":\"a\"}]}", "Line 1: a report has an ISO-8601 instant")]
    [InlineData("{\"reportId\":\"R1\",\"at\":\"2026-01-01T00:00:00Z\",\"players\":[]}", "Line 1: a report has players")]
    [InlineData("{\"reportId\":\"R1\",\"at\":\"2026-01-02T00:00:00Z\",\"players\":[{\"playerId\":\"a\"}]}\n{\"reportId\":\"R2\",\"at\":\"2026-01-01T00:00:00Z\",\"players\":[{\"playerId\":\"a\"}]}", "Line 2: at 2026-01-01T00:00:00Z goes back in time")]
    public async Task A_file_that_cannot_be_replayed_is_refused_with_its_line(string text, string says)
    {
        var (code, _, error) = await Credits("replay", Write(text), "--contract", "C1", "--user", "anna", "--move-clock");
        Assert.Equal(2, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Other_members_and_empty_lines_are_passed_over()
    {
        var report = Assert.Single(ReportFile.Read(Write("\n{\"reportId\":\"R1\",\"at\":\"2026-01-01T00:00:00.5Z\",\"stadium\":{\"x\":1},\"players\":[{\"playerId\":\"a\",\"name\":\"Ann\",\"shirt\":7}]}\n"), inTimeOrder: true));
        Assert.Equal((2, "R1", "2026-01-01T00:00:00.5Z"), (report.Line, report.ReportId, ReportFile.Text(report.At)));
        Assert.Equal([new("a", "Ann")], report.Players);
    }

    [Theory]
    [InlineData]
    [InlineData("replay")]
    [InlineData("replay", "none.ndjson", "--contract", "C1", "--user", "anna")]
    [InlineData("replay", "none.ndjson", "--contract", "C1", "--user", "anna", "--concurrency", "0")]
    [InlineData("replay", "none.ndjson", "--contract", "C1", "--user", "anna", "--setup")]
    [InlineData("audit")]
    [InlineData("audit", "C1", "--client", "acme")]
    [InlineData("audit", "C1", "--url", "nowhere")]
    [InlineData("keys", "new", "--name", "x", "--role", "king")]
    [InlineData("keys", "new", "--name", "x", "--role", "manager")]
    [InlineData("keys", "new", "--name", "x", "--role", "operator", "--client", "acme")]
    [InlineData("keys", "new", "--name", "x", "--role", "auditor", "--user", "anna")]
    [InlineData("keys", "new", "--name", "system", "--role", "operator")]
    [InlineData("keys", "revoke", "nobody", "--file", "none.json")]
    public async Task What_cannot_be_used_is_one_clear_line_and_exit_code_2(params string[] args)
    {
        var (code, output, error) = await Credits(args);
        Assert.Equal((2, ""), (code, output));
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_key_is_printed_once_and_kept_as_its_hash()
    {
        var file = Path.Combine(folder, "keys.json");
        var (code, key, _) = await Credits("keys", "new", "--name", "anna", "--role", "consumer", "--client", "acme", "--user", "anna", "--file", file);
        Assert.Equal(0, code);
        Assert.Matches("^cg_[A-Za-z0-9_-]{43}\n$", key);
        Assert.DoesNotContain(key.Trim(), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key.Trim()))), KeyFile.Read(file).Keys.Single().Sha256);

        Assert.Equal(2, (await Credits("keys", "new", "--name", "anna", "--role", "operator", "--file", file)).Code);
        Assert.Equal(0, (await Credits("keys", "new", "--name", "ops", "--role", "operator", "--file", file)).Code);
        Assert.Equal("anna  consumer  acme  anna\nops  operator  all clients\n", (await Credits("keys", "list", "--file", file)).Output);
        Assert.Equal(0, (await Credits("keys", "revoke", "anna", "--file", file)).Code);
        Assert.Equal("ops  operator  all clients\n", (await Credits("keys", "list", "--file", file)).Output);
    }

    private static async Task<(int Code, string Output, string Error)> Credits(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    private string Write(string text)
    {
        var file = Path.Combine(folder, "reports.ndjson");
        File.WriteAllText(file, text);
        return file;
    }
}
