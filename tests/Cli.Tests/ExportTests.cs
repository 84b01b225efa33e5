using System.Net;
using System.Text;
using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class ExportTests
{
    private const string Csv = "kind,credits\r\nopening,0\r\n";

    private readonly FakeService fake = new((asked, _) => asked.Contains("none", StringComparison.Ordinal)
        ? FakeService.Json(404, """{"code":"not-found","detail":"There is no client none."}""")
        : new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Csv, Encoding.UTF8, "text/csv") });

    [Fact]
    public async Task A_list_is_written_as_the_service_tells_it()
    {
        using var service = fake.Open();
        using var output = new StringWriter();
        var path = ExportCommands.Path("v1/credits", ("clientId", "acme"), ("paymentId", "INV 7/2026"), ("from", null));
        await ExportCommands.Copy(service, path, null, output, TestContext.Current.CancellationToken);

        Assert.Equal(Csv, output.ToString());
        Assert.Equal(["GET /v1/credits?clientId=acme&paymentId=INV%207%2F2026"], fake.Asked);
    }

    [Fact]
    public async Task A_file_is_there_only_once_all_of_it_has_come()
    {
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "credits.csv");
        using var service = fake.Open();
        await Assert.ThrowsAsync<ServiceException>(() => ExportCommands.Copy(service, "v1/credits?clientId=none", file, TextWriter.Null, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(file));

        await ExportCommands.Copy(service, "v1/credits", file, TextWriter.Null, TestContext.Current.CancellationToken);
        Assert.Equal([file], folder.GetFiles().Select(one => one.FullName));
        Assert.Equal(Csv, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("export planets is no list", "export", "planets")]
    [InlineData("--filter acme is not NAME=VALUE", "export", "credits", "--filter", "acme")]
    [InlineData("statement needs either a contract or --account", "statement")]
    [InlineData("statement needs either a contract or --account", "statement", "C1", "--account", "A1")]
    public async Task What_cannot_be_used_is_told(string why, params string[] args)
    {
        using var error = new StringWriter();
        Assert.Equal(2, await CommandLine.Run(args, TextWriter.Null, error));
        Assert.Contains(why.Replace("export planets", "planets", StringComparison.Ordinal), error.ToString(), StringComparison.Ordinal);
    }
}
