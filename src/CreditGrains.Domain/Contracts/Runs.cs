using System.Collections.Immutable;

namespace CreditGrains.Domain;

/// <summary>Ordinals from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct Run(long First, long Last)
{
    public long Count => Last - First + 1;
}

/// <summary>A set of ordinals as separate runs in ascending order: a million untouched credits are one run.</summary>
public readonly struct Runs : IEquatable<Runs>
{
    private readonly ImmutableArray<Run> runs;

    public Runs(ImmutableArray<Run> runs)
    {
        this.runs = runs;
        Count = runs.Sum(run => run.Count);
    }

    /// <summary>The ordinals 1 to <paramref name="quantity"/>.</summary>
    public static Runs UpTo(long quantity) => new([new Run(1, quantity)]);

    public static Runs Empty => new([]);

    /// <summary>A set of one ordinal.</summary>
    public static Runs Only(long ordinal) => new([new Run(ordinal, ordinal)]);

    /// <summary>The number of ordinals.</summary>
    public long Count { get; }

    public ImmutableArray<Run> Items => runs.IsDefault ? [] : runs;

    /// <summary>Splits off the lowest <paramref name="quantity"/> ordinals.</summary>
    public (Runs Taken, Runs Left) Take(long quantity)
    {
        Invariant.Holds(quantity >= 0 && quantity <= Count, "a draw takes no more ordinals than there are");
        var taken = ImmutableArray.CreateBuilder<Run>();
        var left = ImmutableArray.CreateBuilder<Run>(Items.Length);
        foreach (var run in Items)
        {
            var part = Math.Min(quantity, run.Count);
            if (part > 0) taken.Add(run with { Last = run.First + part - 1 });
            if (part < run.Count) left.Add(run with { First = run.First + part });
            quantity -= part;
        }
        return (new(taken.ToImmutable()), new(left.ToImmutable()));
    }

    /// <summary>Splits off the highest <paramref name="quantity"/> ordinals.</summary>
    public (Runs Taken, Runs Left) TakeLast(long quantity)
    {
        var (left, taken) = Take(Count - quantity);
        return (taken, left);
    }

    public bool Contains(long ordinal) => Items.Any(run => run.First <= ordinal && ordinal <= run.Last);

    /// <summary>The set with an ordinal that it does not contain.</summary>
    public Runs With(long ordinal)
    {
        Invariant.Holds(!Contains(ordinal), "an ordinal is added once");
        var before = Items.Where(run => run.Last < ordinal).ToList();
        var after = Items.Where(run => run.First > ordinal).ToList();
        var added = new Run(ordinal, ordinal);
        if (before is [.., var left] && left.Last == ordinal - 1)
        {
            added = added with { First = left.First };
            before.RemoveAt(before.Count - 1);
        }
        if (after is [var right, ..] && right.First == ordinal + 1)
        {
            added = added with { Last = right.Last };
            after.RemoveAt(0);
        }
        return new([.. before, added, .. after]);
    }

    /// <summary>The set with all ordinals of another one, of which it contains none.</summary>
    public Runs With(Runs others)
    {
        var joined = ImmutableArray.CreateBuilder<Run>();
        foreach (var run in Items.Concat(others.Items).OrderBy(run => run.First))
        {
            Invariant.Holds(joined.Count == 0 || joined[^1].Last < run.First, "an ordinal is added once");
            if (joined.Count > 0 && joined[^1].Last == run.First - 1) joined[^1] = joined[^1] with { Last = run.Last };
            else joined.Add(run);
        }
        return new(joined.ToImmutable());
    }

    /// <summary>The set without one of its ordinals.</summary>
    public Runs Without(long ordinal)
    {
        Invariant.Holds(Contains(ordinal), "only an ordinal of the set is taken");
        return new([.. Items.SelectMany(run => run.First <= ordinal && ordinal <= run.Last
            ? new[] { run with { Last = ordinal - 1 }, run with { First = ordinal + 1 } }.Where(part => part.Count > 0)
            : [run])]);
    }

    /// <summary>The ordinals in ascending order.</summary>
    public IEnumerable<long> Ordinals()
    {
        foreach (var run in Items)
            for (var ordinal = run.First; ordinal <= run.Last; ordinal++)
                yield return ordinal;
    }

    /// <summary>The ordinals in descending order.</summary>
    public IEnumerable<long> OrdinalsDescending()
    {
        foreach (var run in Items.Reverse())
            for (var ordinal = run.Last; ordinal >= run.First; ordinal--)
                yield return ordinal;
    }

    /// <summary>Those from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public Runs Within(long first, long last) => new(
        [.. Items.Where(run => run.Last >= first && run.First <= last).Select(run => new Run(Math.Max(run.First, first), Math.Min(run.Last, last)))]);

    public bool Equals(Runs other) => Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => obj is Runs other && Equals(other);

    public override int GetHashCode() => Items.Aggregate(0, HashCode.Combine);

    public override string ToString() => string.Join(',', Items.Select(run => run.First == run.Last ? $"{run.First}" : $"{run.First}-{run.Last}"));

    /// <summary>Reads the text that <see cref="ToString"/> writes.</summary>
    public static Runs Parse(string text) => new([.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(part =>
        part.Split('-') is [var first, var last] ? new Run(Number(first), Number(last)) : new Run(Number(part), Number(part)))]);

    private static long Number(string digits) => long.Parse(digits, System.Globalization.CultureInfo.InvariantCulture);
}
