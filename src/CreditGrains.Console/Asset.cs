using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Pages;

/// <summary>The console's style, script and icon, out of the assembly; their address changes with their text, so that browsers may keep them.</summary>
internal static class Asset
{
    public const string Root = $"{Hosting.Root}/assets";

    private static readonly FrozenDictionary<string, (byte[] Content, string Type)> All = new (string Name, string Type)[]
    {
        ("console.css", "text/css; charset=utf-8"), ("console.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml"),
    }.ToFrozenDictionary(asset => asset.Name, asset => (Read(asset.Name), asset.Type));

    private static readonly string Version = Convert.ToHexStringLower(
        SHA256.HashData([.. All.OrderBy(asset => asset.Key, StringComparer.Ordinal).SelectMany(asset => asset.Value.Content)]).AsSpan(0, 8));

    public static string Path(string name) => $"{Root}/{Version}/{name}";

    public static IResult Get(string version, string name, HttpResponse response)
    {
        if (version != Version || !All.TryGetValue(name, out var asset)) return Results.NotFound();
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Bytes(asset.Content, asset.Type);
    }

    private static byte[] Read(string name)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is in the assembly.");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
