using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>How a server starts, or says in a sentence why it does not (§4).</summary>
public sealed class StartStories
{
    [Fact]
    public async Task It_tells_its_version_when_it_is_ready_and_while_it_lives()
    {
        await using var edition = await Edition.Start(new(IsProcess: true));

        var version = (string)(await edition.Api.Get("/health/live")).Is(200)["version"]!;
        Assert.Matches(@"^\d+\.\d+\.\d+$", version);
        Assert.True(await Eventually.Is(() => Task.FromResult(edition.Output.Contains($"CreditGrains {version}, ", StringComparison.Ordinal))));
        var ready = edition.Output.Split('\n').Single(line => line.StartsWith("CreditGrains", StringComparison.Ordinal));
        Assert.Contains(edition.Api.Url, ready);
        Assert.EndsWith(", ready", ready);
    }

    [Fact]
    public async Task A_port_in_use_is_a_sentence()
    {
        await using var one = await Edition.Start(new(IsProcess: true));
        await using var other = await Edition.NewProcess(one.Api.Url);
        await Refused(other, one.Api.Url);
    }

    [Fact]
    public async Task Data_in_use_is_a_sentence()
    {
        var data = Directory.CreateTempSubdirectory("creditgrains-").FullName;
        await using (var one = SiloProcess.Embedded(data))
        {
            await using var other = SiloProcess.Embedded(data);
            await one.Start();
            var (exitCode, output) = await other.Fail(new());
            Assert.Equal((2, $"CreditGrains did not start: The data in {data} is in use by another process."), (exitCode, output.Trim()));
        }
        Directory.Delete(data, recursive: true);
    }

    internal static async Task Refused(Edition edition, string naming)
    {
        var (exitCode, output) = await edition.Fail(new());

        Assert.Equal(2, exitCode);
        var said = Assert.Single(output.Split('\n'), line => line.StartsWith("CreditGrains did not start: ", StringComparison.Ordinal));
        Assert.Contains(naming, said);
        Assert.DoesNotContain("   at ", output);
    }
}
