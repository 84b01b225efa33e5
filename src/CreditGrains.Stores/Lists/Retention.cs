using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Stores;

/// <summary>
/// What an archive moves out of the ledger: the entries that come with every report, once a checkpoint that must stay counts them. All others are few, and
/// histories, corrections and usage need them.
/// </summary>
internal static class Retention
{
    /// <summary>How many entries are moved in one transaction.</summary>
    public const int AtOnce = 10_000;

    private static readonly ImmutableArray<EntryKind> Kinds = [EntryKind.CreditsCharged, EntryKind.CreditsMinted, EntryKind.CoverageExpired];

    /// <summary>A condition for entries that are moved; what was done to one credit by hand stays in its history.</summary>
    public static readonly string IsMoved =
        $"kind in ({string.Join(", ", Kinds.Select(kind => $"'{kind.Word()}'"))}) and contract_id is not null and subject not like 'credit:%'";

    /// <summary>A condition for a contract's checkpoints that something is left to compare with, and the archive's that they begin with.</summary>
    public const string IsBehindArchive = """
        entry_id >= coalesce(
            (select max(a.entry_id) from checkpoint a where a.contract_id = checkpoint.contract_id and a.archived_before is not null), entry_id)
        """;

    /// <summary>Finds the last entry booked before an instant: up to <c>$1</c> by <see cref="BookedSince"/>, before <c>$2</c>; 0: none was.</summary>
    public const string LastBooked = "select coalesce(max(entry_id), 0) from entry where entry_id <= $1 and booked_at < $2";

    /// <summary>The columns of an entry, for tables that may have them in another order.</summary>
    public static readonly string Columns = string.Join(", ", EntryRow.Columns.Select(column => column.Name).Prepend(EntryRow.Id));

    /// <summary>What an archive up to that instant is called: <c>20250101</c>.</summary>
    public static string Name(Instant before) => LocalDatePattern.CreateWithInvariantCulture("uuuuMMdd").Format(before.InUtc().Date);

    /// <summary>How an instant is told.</summary>
    public static string Told(Instant at) => InstantPattern.ExtendedIso.Format(at);

    /// <summary>What an archive has done.</summary>
    public static string Result(long moved, string to) =>
        moved == 0 ? "Nothing is left to move." : FormattableString.Invariant($"{moved:N0} {(moved == 1 ? "entry" : "entries")} moved to {to}.");

    /// <summary>Throws where the end of an archive is not past by the ledger's own word.</summary>
    /// <param name="lastBooked">null: there are no entries.</param>
    public static void Check(Instant before, Instant? lastBooked)
    {
        if (lastBooked is not { } last) throw new DataRefusedException("The ledger has no entries.");
        if (before > last) throw new DataRefusedException($"--before must not be after the ledger's last entry, which was booked at {Told(last)}.");
    }
}

/// <summary>How far the ledger is archived.</summary>
/// <param name="UpTo">The last entry that may be; all up to it were booked before <paramref name="Before"/>, and none can come any more.</param>
internal sealed record ArchiveBound(Instant Before, long UpTo)
{
    public string Told => $"Archiving the ledger before {Retention.Told(Before)}, entries up to {UpTo}.";

    /// <summary>Where a further archive ends.</summary>
    /// <param name="present">How far the ledger is archived already; null: it is not.</param>
    /// <param name="upTo">The last entry that was surely booked before, and is settled.</param>
    public static ArchiveBound Of(ArchiveBound? present, Instant before, long upTo) =>
        present is not null && present.Before >= before ? present : new(before, Math.Max(upTo, present?.UpTo ?? 0));
}

/// <summary>Tells an operator how far an archive has come, now and then.</summary>
internal sealed class ArchiveProgress(Action<string> tell, TimeProvider time)
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(5);

    private long told = time.GetTimestamp();

    /// <summary>Entries moved so far.</summary>
    public long Moved { get; private set; }

    public void Add(long entries)
    {
        Moved += entries;
        if (time.GetElapsedTime(told) < Often) return;
        told = time.GetTimestamp();
        tell(FormattableString.Invariant($"{Moved:N0} entries moved ..."));
    }
}
