using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>Takes unallocated credits of a lot back (L6).</summary>
/// <param name="Quantity">1 to the lot's unallocated credits, those apart from it included; null: all.</param>
/// <param name="Seen">The <see cref="LotVersion"/> that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record WithdrawCredits(string LotId, long? Quantity, string Reason, string Actor, string? Seen = null);

/// <summary>Changes a lot (L6); null leaves a part as it is.</summary>
/// <param name="AvailableFrom">Now or later, before the contract's end and the lot's expiry.</param>
/// <param name="Begins">Whether the lot begins now, or with its contract where that is to come.</param>
/// <param name="ExpiresAt">In the future, and after the lot and its contract begin; the contract's end cuts it (L4).</param>
/// <param name="Stays">Whether the lot lasts as long as its contract.</param>
/// <param name="Seen">The <see cref="LotVersion"/> that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record ChangeLot(
    string LotId, string? PaymentId, Instant? AvailableFrom, bool Begins, Instant? ExpiresAt, bool Stays, string Reason, string Actor, string? Seen = null);

/// <summary>What tells two versions of a lot apart.</summary>
public sealed record LotVersion(LotTerms Terms, long Unallocated, long Withdrawn);

/// <summary>A lot, and its credits that lie, or have lain, apart from it (<see cref="Domain.Lot.Apart"/>).</summary>
public sealed record WholeLot(Lot Lot, IReadOnlyList<Lot> Apart)
{
    /// <summary>Credits that a draw could take now (L2).</summary>
    public long AvailableAt(Instant now) => Parts.AvailableAt(now);

    /// <summary>Credits that were taken back (L6).</summary>
    public long Withdrawn => Lot.Withdrawn.Count;

    /// <summary>What a correction rests on.</summary>
    public LotVersion VersionAt(Instant now) => new(Lot.Terms, Parts.Sum(part => part.LeftAt(now)), Withdrawn);

    internal IEnumerable<Lot> Parts => Apart.Prepend(Lot);

    /// <summary>
    /// As the contract has it, which has rolled forward: a stored lot with unallocated credits that it no longer has open has just expired. null: there is
    /// none.
    /// </summary>
    internal static WholeLot? Of(Contract contract, string lotId, IEnumerable<Lot> stored)
    {
        var open = contract.Lots.Where(lot => lot.LotId == lotId).ToList();
        var closed = stored.Where(lot => open.All(known => known.Apart != lot.Apart)).Select(lot => Closed(contract.Terms, contract.Passed.After(lot)!));
        return open.Concat(closed).OrderBy(lot => lot.Apart).ToList() is [{ Apart: 0 } lot, .. var apart] ? new(lot, apart) : null;
    }

    // The expiry of a lot that is used up has moved with the contract's end, too.
    private static Lot Closed(Terms terms, Lot lot) => lot switch
    {
        { ExpiryBooked: true } => lot,
        { Free.Count: > 0 } => lot with { ExpiryBooked = true },
        _ => lot with { ExpiresAt = terms.CutToEnd(lot.AskedExpiry) },
    };
}

/// <summary>Corrects lots by hand: takes unallocated credits back, and changes expiry, begin and payment (L6).</summary>
public static class LotCorrecting
{
    private static readonly Refusal Minted = Refusal.Invalid(
        "lotId", "must be a lot of a metered contract: the credits of an unlimited one are minted as they are used");

    /// <summary>
    /// Withdraws the lot's own credits with the highest ordinals first, then those apart from it. Refuses with <see cref="RefusalCode.NotFound"/>,
    /// <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>. All of a lot that has nothing unallocated: nothing changes.
    /// </summary>
    /// <param name="stored">The lot and its credits apart, as the store has them; the contract's own copies count.</param>
    public static Decision<Changed<Contract, WholeLot>> Decide(Contract contract, IReadOnlyCollection<Lot> stored, WithdrawCredits withdraw, Instant now)
    {
        if (WholeLot.Of(contract, withdraw.LotId, stored) is not { } whole) return Absent(contract, withdraw.LotId);
        if (whole.Lot.Source == LotSource.Minted) return Minted;
        var unallocated = whole.Parts.Sum(part => part.LeftAt(now));
        var quantity = withdraw.Quantity ?? unallocated;
        if (quantity == 0 && withdraw.Quantity is null) return new Changed<Contract, WholeLot>(contract, Changes.None, whole);
        if (withdraw.Seen is { } seen && seen != Seen.Of(whole.VersionAt(now))) return Refusal.Changed("lot");
        if (quantity < 1 || quantity > unallocated)
        {
            return Refusal.Invalid("quantity", unallocated == 0
                ? "must be left out: the lot has no unallocated credits"
                : $"must be 1 to {unallocated:N0}, the lot's unallocated credits");
        }

        // After this line it succeeds.
        var shares = whole.Parts.OrderByDescending(part => part.Apart == 0).ThenByDescending(part => part.Apart).Spread(quantity, part => part.LeftAt(now));
        var splits = shares.Select(share => (Part: share.Of, Split: share.Of.Free.TakeLast(share.Part))).ToList();
        var taken = splits.Aggregate(Runs.Empty, (all, one) => all.With(one.Split.Taken));
        var left = With(whole, [.. splits.Select(one => one.Part with { Free = one.Split.Left })]);
        var after = left with { Lot = left.Lot with { Withdrawn = left.Lot.Withdrawn.With(taken) } };
        var parts = after.Parts.Except(whole.Parts).ToList();
        return new Changed<Contract, WholeLot>(
            contract.With(parts),
            [
                .. parts.Select(part => contract.Change(part)),
                contract.Tell(EntryKind.LotWithdrawn, whole.Lot, now, now, withdraw.Actor, Causes.Request) with
                {
                    Quantity = quantity,
                    Before = Json.Write(new { Unallocated = unallocated, whole.Withdrawn }),
                    After = Json.Write(new Withdrawal(unallocated - quantity, after.Withdrawn, $"{taken}")),
                    Reason = withdraw.Reason,
                },
            ],
            after);
    }

    /// <summary>
    /// Changes a lot. Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>.
    /// Values equal to the present ones change nothing. Credits apart from it keep their expiry.
    /// </summary>
    /// <param name="stored">The lot and its credits apart, as the store has them; the contract's own copies count.</param>
    public static Decision<Changed<Contract, WholeLot>> Decide(Contract contract, IReadOnlyCollection<Lot> stored, ChangeLot change, Instant now)
    {
        if (WholeLot.Of(contract, change.LotId, stored) is not { } whole) return Absent(contract, change.LotId);
        var (lot, terms) = (whole.Lot, contract.Terms);
        if (lot.Source == LotSource.Minted) return Minted;
        var asked = change.Stays ? null : change.ExpiresAt is { } given && given != lot.ExpiresAt ? given : lot.AskedExpiry;
        var changed = lot with
        {
            PaymentId = change.PaymentId ?? lot.PaymentId,
            AvailableFrom = !change.Begins ? change.AvailableFrom ?? lot.AvailableFrom : Instant.Min(lot.AvailableFrom, Instant.Max(now, terms.Begins)),
            AskedExpiry = asked,
            ExpiresAt = asked == lot.AskedExpiry ? lot.ExpiresAt : terms.CutToEnd(asked),
        };
        if (changed == lot) return new Changed<Contract, WholeLot>(contract, Changes.None, whole);
        if (change.Seen is { } seen && seen != Seen.Of(whole.VersionAt(now))) return Refusal.Changed("lot");
        if (Check(terms, whole, changed, now) is { } invalid) return invalid;

        // After this line it succeeds.
        var parts = whole.Apart.Select(apart => apart with { PaymentId = changed.PaymentId, AvailableFrom = changed.AvailableFrom })
            .Where(apart => !whole.Apart.Contains(apart)).Prepend(changed).ToList();
        return new Changed<Contract, WholeLot>(
            contract.With(parts),
            [
                .. parts.Select(part => contract.Change(part)),
                contract.TellSet(lot, changed, new(change.Actor, change.Reason, Causes.Request, now, now)),
            ],
            With(whole, parts));
    }

    private static Refusal? Check(Terms terms, WholeLot whole, Lot changed, Instant now)
    {
        var (lot, from) = (whole.Lot, changed.AvailableFrom);
        var isLater = from != lot.AvailableFrom;
        return Refusal.All(
            !isLater ? null
            : lot.AvailableFrom <= now ? Refusal.Invalid("availableFrom", $"must stay {Text(lot.AvailableFrom)}: the lot has begun")
            : !Calendar.IsInstant(from) ? Refusal.Invalid("availableFrom", Calendar.InstantRange)
            : from < now ? Refusal.Invalid("availableFrom", "must be now or later; null: the lot begins now")
            : from >= terms.Ends ? Refusal.Invalid("availableFrom", "must be before the contract's end")
            : whole.Apart.FirstOrDefault(apart => apart.IsOpen && apart.ExpiresAt <= from) is { } apart
                ? Refusal.Invalid("availableFrom", $"must be before its credit {apart.Apart} expires at {Text(apart.ExpiresAt!.Value)}")
            : changed.AskedExpiry == lot.AskedExpiry && changed.ExpiresAt <= from
                ? Refusal.Invalid("availableFrom", $"must be before the lot expires at {Text(changed.ExpiresAt.Value)}")
            : null,
            changed.AskedExpiry == lot.AskedExpiry ? null
            : lot.ExpiryBooked || lot.ExpiresAt <= now
                ? Refusal.Invalid("expiresAt", "must stay as it is: the lot has expired; its credits come back one by one")
            : changed.AskedExpiry is { } asked && !Calendar.IsInstant(asked) ? Refusal.Invalid("expiresAt", Calendar.InstantRange)
            : changed.ExpiresAt <= now ? Refusal.Invalid("expiresAt", "must be in the future; to end the lot now, withdraw its credits")
            : changed.ExpiresAt <= terms.Begins ? Refusal.Invalid("expiresAt", $"must be after the contract begins on {terms.StartsOn:R}")
            : changed.ExpiresAt <= from ? Refusal.Invalid("expiresAt", $"must be after availableFrom, {Text(from)}")
            : null);
    }

    private static WholeLot With(WholeLot whole, List<Lot> changed) => new(
        changed.FirstOrDefault(part => part.Apart == 0) ?? whole.Lot,
        [.. whole.Apart.Select(part => changed.FirstOrDefault(one => one.Apart == part.Apart) ?? part)]);

    private static Refusal Absent(Contract contract, string lotId) => Refusal.NotFound($"lot {lotId} of contract {contract.Terms.ContractId}");

    private static string Text(Instant instant) => InstantPattern.ExtendedIso.Format(instant);
}

/// <summary>What an entry of withdrawn credits tells: the lot's numbers afterwards, and the ordinals of the credits.</summary>
public sealed record Withdrawal(long Unallocated, long Withdrawn, string Credits);
