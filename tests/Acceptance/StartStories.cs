using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>How a server starts, or says in a sentence why it does not (§4).</summary>
public sealed class StartStories
{
    [Fact]
    public async Task It_tells_its_version_and_a_second_one_at_its_port_or_on_its_data_is_a_sentence()
    {
        var data = Directory.CreateTempSubdirectory("creditgrains-").FullName;
        await using (var one = SiloProcess.Embedded(data))
        {
            await one.Start(new());
            using var api = new Api(one.Url);
            var version = (string)(await api.Get("/health/live")).Is(200)["version"]!;
            Assert.Matches(@"^\d+\.\d+\.\d+$", version);
            Assert.True(await Eventually.Is(() => Task.FromResult(one.Output.Contains($"CreditGrains {version}, ", StringComparison.Ordinal))));
            var ready = one.Output.Split('\n').Single(line => line.StartsWith("CreditGrains", StringComparison.Ordinal));
            Assert.Contains(one.Url, ready);
            Assert.EndsWith(", ready", ready);

            await using var atItsPort = await Edition.NewProcess(one.Url);
            await Refused(atItsPort, one.Url);

            await using var onItsData = SiloProcess.Embedded(data);
            var (exitCode, output) = await onItsData.Fail(new());
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
