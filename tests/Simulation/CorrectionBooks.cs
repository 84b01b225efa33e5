using System.Runtime.CompilerServices;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor of corrections by hand (L6): sees every commit, and holds what it does to lots and purchases against what they were and what was wanted of them.</summary>
internal sealed class CorrectionBooks(World world, MemoryStore store, History history)
{
    private readonly Dictionary<string, WithdrawCredits> withdrawals = [];
    private readonly Dictionary<string, ChangeLot> changes = [];
    private readonly Dictionary<string, ChangePurchase> purchases = [];
    private readonly HashSet<string> done = [];
    private readonly List<Entry> told = [];

    /// <summary>Corrections that were done.</summary>
    public int Done => done.Count;

    /// <summary>An operator will ask for that; its reason is its own.</summary>
    public void Wants(WithdrawCredits withdraw) => withdrawals[withdraw.Reason] = withdraw;

    /// <inheritdoc cref="Wants(WithdrawCredits)"/>
    public void Wants(ChangeLot change) => changes[change.Reason] = change;

    /// <inheritdoc cref="Wants(WithdrawCredits)"/>
    public void Wants(ChangePurchase change) => purchases[change.Reason!] = change;

    /// <summary>Checks what corrections will do to lots and purchases as they are.</summary>
    public void Before(Commit commit)
    {
        told.Clear();
        told.AddRange(commit.Changes.Entries.Where(entry => entry.Kind == EntryKind.LotWithdrawn || (entry.Kind is EntryKind.LotSet or EntryKind.PurchaseSet && entry.Reason is not null)));
        foreach (var entry in told)
        {
            Holds(done.Add(entry.Reason!), "what a correction did is not done again (L6)", $"{entry}");
            Holds(entry.EffectiveAt == entry.BookedAt, "a correction is told as of now (L6, G1)", $"{entry}");

            // What the end of a hold returns in the same commit is withdrawn or changed with the rest.
            var isAlone = !commit.Changes.Entries.Any(other => other.Kind == EntryKind.CreditsReturned && (other.ContractId, other.LotId) == (entry.ContractId, entry.LotId));
            if (entry.Kind == EntryKind.LotWithdrawn && isAlone) CheckWithdrawal(entry, commit);
            if (entry.Kind == EntryKind.LotSet && isAlone) CheckLot(entry, commit);
            if (entry.Kind == EntryKind.PurchaseSet) CheckPurchase(entry, commit);
        }
    }

    private List<Lot> Parts(Entry entry) =>
        [.. store.Lots.Where(row => row.ContractId == entry.ContractId && row.Lot.LotId == entry.LotId).Select(row => row.Lot).OrderBy(lot => lot.Apart)];

    // A billing lot may have come with the very commit.
    private void CheckWithdrawal(Entry entry, Commit commit)
    {
        var (wanted, parts) = (withdrawals[entry.Reason!], Parts(entry));
        var after = commit.Changes.Lots.Where(change => change.ContractId == entry.ContractId && change.Lot.LotId == entry.LotId).Select(change => change.Lot).ToList();
        if (parts.Count == 0) parts.Add(after.Single(lot => lot.Apart == 0) is var granted ? granted with { Free = Runs.UpTo(granted.Quantity), Withdrawn = Runs.Empty } : granted);
        var open = parts.Where(part => !part.ExpiryBooked && !(entry.BookedAt >= part.ExpiresAt)).ToList();
        var unallocated = open.Sum(part => part.Free.Count);
        Holds(entry.Quantity == (wanted.Quantity ?? unallocated) && entry.Quantity is > 0 && entry.Quantity <= unallocated, "a withdrawal takes what is unallocated (L6)", $"{wanted} of {unallocated}: {entry}");

        // The lot's own with the highest ordinals, then those apart.
        var expected = open.Where(part => part.Apart == 0).SelectMany(part => part.Free.OrdinalsDescending())
            .Concat(open.Where(part => part is { Apart: > 0, Free.Count: > 0 }).Select(part => part.Apart).OrderDescending())
            .Take((int)entry.Quantity).Order().ToList();
        var taken = Runs.Parse(Json.Read<Withdrawal>(entry.After!).Credits).Ordinals().ToList();
        Holds(taken.SequenceEqual(expected), "a withdrawal takes the lot's last credits, and those apart from it last (L6)", $"{entry}: {string.Join(' ', expected)}");
        var lot = after.Single(one => one.Apart == 0);
        Holds(taken.TrueForAll(ordinal => lot.Withdrawn.Contains(ordinal) && after.All(part => !part.Free.Contains(ordinal))), "what is withdrawn lies in its lot no longer (L6)", $"{entry}: {string.Join(' ', after)}");
    }

    private void CheckLot(Entry entry, Commit commit)
    {
        var (wanted, now, terms) = (changes[entry.Reason!], entry.BookedAt, history.Read(entry.ContractId!, store)!.Terms);
        foreach (var before in Parts(entry))
        {
            var after = commit.Changes.Lots.LastOrDefault(change => change.Row == RowKey.Lot(entry.ContractId!, before))?.Lot ?? before;
            Holds(after.Free.Equals(before.Free) && after.Withdrawn.Equals(before.Withdrawn), "a change of a lot moves no credit (L6)", $"{entry}: {before}, {after}");
            Holds(after.PaymentId == (wanted.PaymentId ?? before.PaymentId), "a lot is paid with what is said (L6)", $"{entry}: {after}");
            Holds(after.AvailableFrom == before.AvailableFrom || (before.AvailableFrom > now && after.AvailableFrom >= now && (wanted.Begins || after.AvailableFrom == wanted.AvailableFrom)),
                "a lot begins anew only while that is to come (L6)", $"{wanted} at {now}: {before}, {after}");
            if (before.Apart > 0) Holds(after.ExpiresAt == before.ExpiresAt && after.AskedExpiry == before.AskedExpiry, "credits apart from a lot keep their expiry (L6)", $"{entry}: {before}, {after}");
            else if (after.AskedExpiry != before.AskedExpiry)
            {
                var present = before.IsOpen || before.ExpiryBooked ? before.ExpiresAt : terms.CutToEnd(before.AskedExpiry);
                Holds(!before.ExpiryBooked && !(now >= present) && !(now >= after.ExpiresAt), "an expiry moves only while it is to come (L6)", $"{wanted} at {now}: {before}, {after}");
                Holds(after.AskedExpiry == (wanted.Stays ? null : wanted.ExpiresAt) && after.ExpiresAt == terms.CutToEnd(after.AskedExpiry), "a lot expires as is said (L6, L4)", $"{wanted}: {after}");
            }
        }
    }

    private void CheckPurchase(Entry entry, Commit commit)
    {
        var (id, now) = (entry.Subject.Split('~')[1], entry.BookedAt);
        var (before, after) = (store.Purchase(entry.AccountId!, id)!, commit.Changes.Purchases.Last(change => change.AccountId == entry.AccountId && change.Purchase.PurchaseId == id).Purchase);
        Holds(after.Allocated == before.Allocated && after.Expired == (now >= after.ExpiresAt ? after.Quantity - after.Allocated : 0), "what milestones do not hold is free, or has expired (L6, G2)", $"{entry}: {before}, {after}");
        if (!purchases.TryGetValue(entry.Reason!, out var wanted))
        {
            Holds(!(now >= before.ExpiresAt) && after.ExpiresAt == now && after.Free == 0, "a purchase that is expired by hand is over now (L6)", $"{entry}: {before}, {after}");
            return;
        }
        Holds(
            after.Quantity == (wanted.Quantity ?? before.Quantity) && after.StartsOn == (wanted.StartsOn ?? before.StartsOn) && after.ExpiresOn == (wanted.ExpiresOn ?? before.ExpiresOn),
            "a purchase is corrected as is said (L6)", $"{wanted}: {after}");
        Holds(after.StartsOn == before.StartsOn || before.AvailableFrom > now, "a purchase begins on another day only while that is to come (L6)", $"{wanted} at {now}: {before}");
        Holds(after.ExpiresAt == before.ExpiresAt || after.ExpiresAt > now, "a purchase is extended to today or later (L6)", $"{wanted} at {now}: {after}");
    }

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
