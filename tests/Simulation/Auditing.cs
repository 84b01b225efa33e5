using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>How auditors look at the store and at commits.</summary>
internal static class Auditing
{
    /// <summary>The credit that a player has, or had last; null: the player is free, or never had one.</summary>
    public static Credit? CurrentCredit(this MemoryStore store, PlayerKey key) => store.Player(key)?.Credit is { } id && store.Credit(id) is { } credit && credit.PlayerId == key.PlayerId ? credit : null;

    /// <summary>Where a credit that is free lies: apart from its lot, or in it.</summary>
    public static Lot? LotOf(this MemoryStore store, CreditId id) =>
        store.Lot(id.ContractId, id.LotId, id.Ordinal) is { Free.Count: > 0 } apart ? apart : store.Lot(id.ContractId, id.LotId);

    public static IEnumerable<Purchase> PurchasesOf(this MemoryStore store, string accountId) =>
        store.Purchases.Where(row => row.AccountId == accountId).Select(row => row.Purchase).OrderBy(purchase => purchase.PurchaseId, StringComparer.Ordinal);

    public static ServicesSettings Settings(this MemoryStore store) => store.Document(DocumentKind.Settings, ServicesSettingsGrain.Id).AsSettings().Settings;

    /// <summary>Whether a commit changes a row or rests on it.</summary>
    public static bool Names(this Commit commit, RowKey row) => commit.Changes.Guards.Any(guard => guard.Row == row) || commit.Changes.Any(change => RowOf(change) == row);

    /// <summary>The row that a change is of; null: it is an entry.</summary>
    public static RowKey? RowOf(Change change) => change switch
    {
        DocumentChange one => one.Row,
        EpochChange one => one.Row,
        LotChange one => one.Row,
        MemberChange one => one.Row,
        UserChange one => one.Row,
        PlayerChange one => one.Player.Row,
        CreditChange one => one.Row,
        EndingChange one => one.Ending.Key.Row,
        EndedChange one => one.Row,
        ReportChange one => one.Row,
        PurchaseChange one => one.Row,
        ProjectChange one => one.Row,
        MilestoneChange one => one.Row,
        Consumption one => one.Row,
        Entry => null,
        _ => throw new InvalidOperationException($"{change.GetType()} is no kind of change that auditors know"),
    };

    /// <summary>The version that a change expects of its row; null: it has none.</summary>
    public static (RowKey Row, long Version)? ExpectedBy(Change change) => change switch
    {
        MemberChange one => (one.Row, one.Expected),
        UserChange one => (one.Row, one.Expected),
        PlayerChange one => (one.Player.Row, one.Expected),
        _ => null,
    };

    /// <summary>The contracts whose documents a commit writes.</summary>
    public static IEnumerable<DocumentChange> Contracts(this Changes changes) => changes.Documents.Where(write => write.Kind == DocumentKind.Contract);

    public static IEnumerable<UserChange> Users(this Changes changes) => changes.OfType<UserChange>();

    /// <summary>Previews that a commit keeps or confirms.</summary>
    public static IEnumerable<Preview> Previews(this Changes changes) =>
        changes.Documents.Where(write => write is { Kind: DocumentKind.Preview, Body: not null }).Select(write => Json.Read<Preview>(write.Body!));

    /// <summary>Whether a commit only proves, or raises an epoch: nothing of the books changes.</summary>
    public static bool TellsNothing(this Changes changes) => changes.All(change => change is EpochChange);

    /// <summary>The credits of a lot that can be drawn in a while.</summary>
    public static Pot AsPot(this Lot lot) => new(lot.LotId, lot.Apart, lot.AvailableFrom, lot.ExpiresAt, lot.Free.Count);

    public static long RemainingAt(this IEnumerable<Pot> pots, Instant now) => pots.Where(pot => pot.IsOpenAt(now)).Sum(pot => pot.Free);
}

/// <summary>What is free of a lot, or apart from it.</summary>
internal readonly record struct Pot(string LotId, long Apart, Instant From, Instant? Until, long Free)
{
    public bool IsOpenAt(Instant now) => now >= From && !(now >= Until);
}
