using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Names the credits whose coverage ends together (P3): those that one report charged from one lot, or one that was given by hand.</summary>
/// <param name="At">When it ends.</param>
/// <param name="ReportId">null: the credit was given by hand.</param>
/// <param name="Ordinal">That of the credit which was given by hand; 0: a report charged them.</param>
public readonly record struct EndingKey(string ClientId, Instant At, string ContractId, string LotId, string? ReportId, long Ordinal)
{
    public RowKey Row => RowKey.Ending(this);

    // One of each credit that a report charges is hashed; few endings share an instant.
    public override int GetHashCode() => HashCode.Combine(At, Ordinal);

    /// <summary>Of a credit; null: it has no player, its coverage never ends, or it is held.</summary>
    public static EndingKey? Of(Credit credit) => credit is { PlayerId: not null, HeldUntil: null, ExpiresAt: { } at }
        ? new(credit.ClientId, at, credit.Id.ContractId, credit.Id.LotId, credit.ReportId, credit.ReportId is null ? credit.Id.Ordinal : 0)
        : null;
}

/// <summary>
/// How many credits' coverage ends together. It is there until that is booked, so the rows of credits are left alone: whether a credit's end is booked is
/// told by its ending alone.
/// </summary>
/// <param name="UsedBy">The user of the report; null: nobody used the credit.</param>
/// <param name="Credits">Also the fence: two endings of the same key and as many credits are the same.</param>
/// <param name="Last">None of them has a higher ordinal.</param>
public sealed record Ending(EndingKey Key, string? UsedBy, long Credits, long Last);

/// <summary>An ending as it now is; without credits it is gone.</summary>
/// <param name="Expected">The credits that it must have had; 0: it must not be there.</param>
public sealed record EndingChange(Ending Ending, long Expected) : Change
{
    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>Adds to how many credits of a lot have a row and have expired, and are booked as expired.</summary>
/// <param name="Credits">Less than 0: some have come back.</param>
/// <param name="Last">None of those that are added has a higher ordinal.</param>
public sealed record EndedChange(string ContractId, string LotId, long Credits, long Last) : Change
{
    public RowKey Row => RowKey.Ended(ContractId, LotId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>The endings that a decision has read. A credit with an end and without an ending has ended, whatever the clock of the decision says.</summary>
/// <param name="Asked">Those that it looked for.</param>
/// <param name="Found">Those that are there.</param>
public sealed record Endings(IReadOnlyCollection<EndingKey> Asked, IReadOnlyDictionary<EndingKey, Ending> Found)
{
    public static readonly Endings None = new([], ImmutableDictionary<EndingKey, Ending>.Empty);

    /// <summary>The keys of those that these credits have.</summary>
    public static IReadOnlyCollection<EndingKey> Keys(params IEnumerable<Credit> credits) => [.. credits.Select(EndingKey.Of).OfType<EndingKey>().Distinct()];

    /// <summary>Everything rests on what was found, and on what was not.</summary>
    public IEnumerable<Guard> Guards => Asked.Select(key => new Guard(key.Row, Found.GetValueOrDefault(key)?.Credits ?? 0));

    /// <summary>When a credit expired, where that is booked; null: it is not.</summary>
    public Instant? BookedEnd(Credit? credit) => credit is not null && HasEnded(credit) ? credit.ExpiresAt : null;

    /// <summary>Whether a credit with a row has expired, and is booked as expired.</summary>
    public bool HasEnded(Credit credit) => credit.PlayerId is null || (EndingKey.Of(credit) is { } key && !Found.ContainsKey(key));

    /// <summary>What becomes of endings where rows of credits change.</summary>
    /// <param name="rows">Before and after; null: there is no row.</param>
    public Changes Move(IEnumerable<(Credit? Before, Credit? After)> rows, Instant now)
    {
        var moves = rows.SelectMany(Sides).ToLookup(move => move.HasEnded);
        return
        [
            .. moves[false].GroupBy(move => EndingKey.Of(move.Credit)).Select(ending => ending.Key is { } key ? Move(key, [.. ending]) : null)
                .OfType<EndingChange>(),
            .. moves[true].GroupBy(move => (move.Credit.Id.ContractId, move.Credit.Id.LotId)).Select(lot => new EndedChange(
                lot.Key.ContractId, lot.Key.LotId, lot.Sum(move => move.By), lot.Max(move => move.By > 0 ? move.Credit.Id.Ordinal : 0))),
        ];

        IEnumerable<Moving> Sides((Credit? Before, Credit? After) row)
        {
            if (row.Before is { } before) yield return new(before, HasEnded(before), -1);
            if (row.After is { } after) yield return new(after, after.StatusAt(now) == CreditStatus.Expired, 1);
        }
    }

    private EndingChange? Move(EndingKey key, ImmutableArray<Moving> moved)
    {
        var present = Found.GetValueOrDefault(key) ?? new Ending(key, moved[0].Credit.UsedBy, 0, 0);
        var by = moved.Sum(move => move.By);
        var last = Math.Max(present.Last, moved.Max(move => move.Credit.Id.Ordinal));
        return by == 0 ? null : new(present with { Credits = present.Credits + by, Last = last }, present.Credits);
    }

    // A credit's row that comes (1) or goes (-1).
    private readonly record struct Moving(Credit Credit, bool HasEnded, int By);
}

/// <summary>Books the ends of coverage (P3).</summary>
public static class Coverage
{
    /// <summary>
    /// Books those endings that are over, with one entry each. A report that charges a player anew leaves the former end to this; a hand edit of an
    /// expired credit books its end itself.
    /// </summary>
    public static Changes Expire(IEnumerable<Ending> endings, Instant now)
    {
        var over = endings.Where(ending => ending.Key.At <= now).ToList();
        return
        [
            .. over.Select(ending => new EndingChange(ending with { Credits = 0 }, ending.Credits)),
            .. over.GroupBy(ending => (ending.Key.ContractId, ending.Key.LotId)).Select(lot => new EndedChange(
                lot.Key.ContractId, lot.Key.LotId, lot.Sum(ending => ending.Credits), lot.Max(ending => ending.Last))),
            .. over.Select(ending => Ended(ending, now)),
        ];
    }

    /// <summary>The entry for the end of an ending's credits.</summary>
    public static Entry Ended(Ending ending, Instant now) => new()
    {
        Kind = EntryKind.CoverageExpired,
        EffectiveAt = ending.Key.At,
        BookedAt = now,
        Actor = Entry.System,
        Cause = Causes.Expiry,
        Subject = Subjects.Lot(ending.Key.ContractId, ending.Key.LotId),
        Quantity = ending.Credits,
        Before = Json.Write(new { Status = CreditStatus.Allocated }),
        After = Json.Write(new { Status = CreditStatus.Expired }),
        ClientId = ending.Key.ClientId,
        ContractId = ending.Key.ContractId,
        LotId = ending.Key.LotId,
        UserId = ending.UsedBy,
        ReportId = ending.Key.ReportId,
    };
}
