using System.Collections.Concurrent;

namespace CreditGrains.Http;

/// <summary>What never changes of something once it is there, so that it is asked for once.</summary>
internal sealed class Fixed(Func<string, Task<string?>> read)
{
    private const int MaxKnown = 100_000;

    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>null where there is nothing of that id yet.</summary>
    public async ValueTask<string?> Of(string id)
    {
        if (known.TryGetValue(id, out var value)) return value;
        if (await read(id) is not { } found) return null;
        if (known.Count >= MaxKnown) known.Clear();
        return known[id] = found;
    }
}
