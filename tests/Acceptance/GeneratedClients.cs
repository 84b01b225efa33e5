using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>
/// The document as its tools see it: linters find no fault in it, and clients that are generated from it compile and live through a whole day. The tools, whose
/// versions are pinned in the folder Clients, are installed once into the folder of temporary files.
/// </summary>
public sealed class GeneratedClients : IAsyncDisposable
{
    private static readonly string Sources = Path.Combine(Child.Root, "tests", "Acceptance", "Clients");

    private string? folder;

    [Fact]
    public async Task Linters_find_no_fault_and_clients_of_three_generators_live_through_a_day()
    {
        folder = Directory.CreateDirectory(Path.Combine(await Tools(), $"run-{Environment.ProcessId}")).FullName;
        foreach (var file in Directory.EnumerateFiles(Sources)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        await using var edition = await Words.AtDay0();
        await File.WriteAllTextAsync(Path.Combine(folder, "document.json"), (await edition.Api.Get("/openapi/v1.json")).Is(200).Text, CancellationToken.None);

        await Task.WhenAll(Lint(), LiveInTypeScript(edition.Api.Url), LiveInCSharp(edition.Api.Url));
    }

    public ValueTask DisposeAsync()
    {
        if (folder is not null) Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task Lint()
    {
        await Npx("redocly", "lint", "document.json");
        await Npx("spectral", "lint", "--fail-severity=hint", "document.json");
    }

    private async Task LiveInTypeScript(string url)
    {
        await Npx("openapi-typescript", "document.json", "--default-non-nullable=false", "-o", "api.d.ts");
        await Npx("tsc", "-p", ".");
        await Run(folder!, "node", "out/day.js", url);
    }

    private async Task LiveInCSharp(string url)
    {
        await Run(
            folder!, "dotnet", "nswag", "openapi2csclient", "/input:document.json", "/output:Nswag.cs", "/namespace:Nswag", "/className:Client", "/jsonLibrary:NewtonsoftJson",
            "/generateOptionalParameters:true", "/generateOptionalPropertiesAsNullable:true", "/generateNullableReferenceTypes:true", "/dateType:System.DateOnly");
        await Run(folder!, "dotnet", "kiota", "generate", "-l", "CSharp", "-d", "document.json", "-o", "Kiota", "-n", "Kiota", "-c", "KiotaClient", "--log-level", "Error");
        await Run(folder!, "dotnet", "msbuild", "Clients.csproj", "-restore", "-p:Configuration=Release", "-nologo", "-tl:off", "-v:quiet");
        await Run(folder!, "dotnet", "bin/Release/net10.0/Clients.dll", url);
    }

    private Task Npx(string tool, params string[] arguments) => Run(folder!, Path.Combine(folder!, "..", "node_modules", ".bin", tool), arguments);

    // The folder of the tools, by what is installed there: made beside it and moved, so that it is there whole or not at all.
    private static async Task<string> Tools()
    {
        var pins = (string[])["package-lock.json", ".config/dotnet-tools.json", "Clients.csproj"];
        var hash = SHA256.HashData([.. pins.SelectMany(pin => File.ReadAllBytes(Path.Combine(Sources, pin)))]);
        var installed = Path.Combine(Path.GetTempPath(), $"creditgrains-clients-{Convert.ToHexStringLower(hash)[..12]}");
        if (Directory.Exists(installed)) return installed;

        var making = Directory.CreateTempSubdirectory("creditgrains-clients-").FullName;
        foreach (var file in (string[])[.. pins, "package.json"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(making, file))!);
            File.Copy(Path.Combine(Sources, file), Path.Combine(making, file));
        }
        try
        {
            await Run(making, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            Directory.Delete(making, recursive: true);
            Assert.Skip($"npm is not to be had, or reaches no registry: {e.Message}");
        }
        await Run(making, "dotnet", "tool", "restore");
        await Run(making, "dotnet", "restore", "Clients.csproj");
        if (Directory.Exists(installed)) Directory.Delete(making, recursive: true);
        else Directory.Move(making, installed);
        return installed;
    }

    private static async Task Run(string folder, string program, params string[] arguments)
    {
        await using var child = Child.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, Environment = { ["REDOCLY_TELEMETRY"] = "off", ["CI"] = "true" } });
        if (await child.Ended() != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {child.Output}");
    }
}
