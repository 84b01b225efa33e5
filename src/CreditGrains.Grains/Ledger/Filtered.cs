using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>Lists by what no store can filter by, such as a part of a name: a list is read on until the page is full.</summary>
public static class Filtered
{
    /// <summary>What the cursors of these lists are of.</summary>
    public const string Contracts = "contracts", Directory = "directory";

    private const int ReadAtOnce = 1_000;

    /// <summary>Whether a name has this part, in upper or lower case; null: any name has.</summary>
    public static bool HasPart(this string name, string? part) => part is null || name.Contains(part, StringComparison.OrdinalIgnoreCase);

    /// <param name="read">A page of the whole list.</param>
    /// <param name="cursor">The cursor behind an item of it.</param>
    public static async Task<Page<T>> Page<T>(Func<PageRequest, Task<Page<T>>> read, PageRequest page, Func<T, bool> passes, Func<T, string> cursor)
    {
        var found = new List<T>();
        for (var next = page with { Limit = ReadAtOnce }; ;)
        {
            var more = await read(next);
            found.AddRange(more.Items.Where(passes));
            if (found.Count > page.Limit) return new([.. found.Take(page.Limit)], cursor(found[page.Limit - 1]));
            if (more.Next is null) return new([.. found], null);
            next = next with { After = more.Next };
        }
    }
}
