using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A player of a report, as the player's actor answered.</summary>
/// <param name="Current">The player's latest credit, over or not; null: there is none.</param>
/// <param name="Claimed">Whether this report alone may now charge the player (R4).</param>
public sealed record PlayerOnReport(string PlayerId, string? Name, Credit? Current, bool Claimed);

/// <summary>A report whose players and user are settled, ready to be charged.</summary>
public sealed record ChargeCredits(ReportKey Report, string UserId, string Actor, ImmutableArray<PlayerOnReport> Players, Hold Hold)
{
    /// <summary>What is remembered with the report under its request's key; null: the request had none.</summary>
    public KeyedRequest? Request { get; init; }

    /// <summary>The players who may have to be charged.</summary>
    public int ToCharge => Players.Count(player => player.Claimed);
}

/// <summary>Takes one credit for each uncovered player of a report from the contract's pool (R1, R2, L2, P2, P3). All or nothing.</summary>
public static class Charging
{
    /// <summary>Whether a player was covered when asked but is no longer, or the promise to the user is over: the report has to ask again.</summary>
    public static bool IsOutdated(Contract contract, ChargeCredits charge, Instant now) =>
        !charge.Hold.IsGoodFor(contract, now) || charge.Players.Any(player => !player.Claimed && !player.Current!.CoversAt(now));

    /// <summary>Refuses with <see cref="RefusalCode.ContractNotActive"/> or <see cref="RefusalCode.InsufficientContractCredits"/>.</summary>
    public static Decision<Changed<Contract, Report>> Decide(Contract contract, ChargeCredits charge, Instant now)
    {
        var toCharge = charge.ToCharge;
        var amounts = new Amounts(toCharge, charge.Hold.UserAvailable, contract.RemainingAt(now), charge.Hold.NextRenewalAt);
        if (NotActive(contract.Terms, amounts, now) is { } refusal) return refusal;
        if (contract.RemainingAt(now) < toCharge)
            return new Refusal(RefusalCode.InsufficientContractCredits, $"The report needs {toCharge} credits; the contract has {contract.RemainingAt(now)}.", Amounts: amounts);

        // After this line the charge succeeds.
        Invariant.Holds(charge.Hold.Credits == toCharge, "the user holds just what the report charges");
        var minted = contract.IsUnlimited ? Mint(contract, toCharge, now) : null;
        var draws = minted is null ? contract.Lots.Take(toCharge, now) : [minted];
        var credits = new Queue<(Lot Lot, long Ordinal)>(draws.SelectMany(draw => draw.Taken.Ordinals().Select(ordinal => (draw.Before, ordinal))));

        var charged = charge.Players.Where(player => player.Claimed).Zip(charge.Hold.Sources(), (player, usedOf) => (player, credit: Activate(contract.Terms, charge, player, credits.Dequeue(), usedOf, now))).ToList();
        var outcome = charged.ToDictionary(pair => pair.player.PlayerId, pair => new PlayerOutcome(pair.player.PlayerId, PlayerCharge.New, pair.credit.Id.ToString(), pair.credit.ExpiresAt));
        var use = charge.Hold.AsUse(contract.Terms.ContractId, charge.UserId);
        var next = contract.With([.. draws.Select(draw => draw.After)]).With(use, now);
        var report = new Report(
            charge.Report.ReportId, charge.Report.ClientId, contract.Terms.ContractId, charge.UserId, now, toCharge, charge.Players.Length - toCharge,
            [.. charge.Players.Select(player => outcome.GetValueOrDefault(player.PlayerId) ?? Covered(player))],
            new(charge.Hold.UserAvailable - toCharge, next.RemainingAt(now)));

        return new Changed<Contract, Report>(
            next,
            new Changes
            {
                Lots = [.. draws.Select(draw => contract.Change(draw.After, isNew: draw.Before.Quantity == 0))],
                Credits = [.. charged.SelectMany(pair => Replace(pair.player.Current, pair.credit))],
                CoveredBy = [.. charge.Players.Where(player => !player.Claimed).Select(player => player.Current!)],
                Uses = [use],
                Requests = charge.Request is { } request ? [request] : [],
                Reports = [report],
                Entries =
                [
                    .. charged.Where(pair => pair.player.Current is { ExpiryBooked: false }).Select(pair => Coverage.Ended(charge.Report.ClientId, pair.player.Current!, 1, now)),
                    .. draws.SelectMany(draw => Explain(contract, charge, draw, [.. charged.Select(pair => pair.credit)], now)),
                ],
            },
            report);
    }

    /// <summary>The refusal of a report outside the contract's days (C1); null within them.</summary>
    public static Refusal? NotActive(Terms terms, Amounts? amounts, Instant now) => terms.IsActiveAt(now)
        ? null
        : new(RefusalCode.ContractNotActive, $"The contract runs from {terms.StartsOn:R} to {terms.EndsOn?.ToString("R", null) ?? "open end"} ({terms.TimeZone}).", Amounts: amounts);

    private static PlayerOutcome Covered(PlayerOnReport player) =>
        new(player.PlayerId, PlayerCharge.Covered, player.Current!.Id.ToString(), player.Current.ExpiresAt);

    private static Credit Activate(Terms terms, ChargeCredits charge, PlayerOnReport player, (Lot Lot, long Ordinal) source, string? usedOf, Instant now) => new(
        new(terms.ContractId, source.Lot.LotId, source.Ordinal), charge.Report.ClientId, source.Lot.PaymentId, charge.UserId, player.PlayerId, player.Name,
        source.Lot.CreatedAt, terms.CoverageEnd(now, source.Lot.ExpiresAt), now, charge.Report.ReportId, IsCurrent: true, ExpiryBooked: false, Version: 1, usedOf);

    // The player's credit that is over makes way; its end is booked where that has not happened yet (T3).
    private static IEnumerable<CreditChange> Replace(Credit? over, Credit credit)
    {
        if (over is not null) yield return over.MakeWay();
        yield return new(credit, 0);
    }

    // C2: credits come to be as they are used. Each has the life that L4 would give it.
    private static Draw? Mint(Contract contract, long quantity, Instant now)
    {
        if (quantity == 0) return null;
        var terms = contract.Terms;
        var expiry = Granting.DefaultExpiry(terms, now);
        var lot = contract.Lots.SingleOrDefault()
            ?? new Lot(Lot.MintedId, LotSource.Minted, Lot.MintedId, 0, Runs.Empty, now, now, null, null);
        var grown = lot with { Quantity = lot.Quantity + quantity };
        return new(lot with { CreatedAt = now, ExpiresAt = terms.CutToEnd(expiry) }, grown, new([new Run(lot.Quantity + 1, grown.Quantity)]));
    }

    // One entry for what was drawn of a lot and used of one right.
    private static IEnumerable<Entry> Explain(Contract contract, ChargeCredits charge, Draw draw, IReadOnlyCollection<Credit> charged, Instant now)
    {
        var told = contract.Tell(EntryKind.CreditsCharged, draw.After, now, now, charge.Actor, Causes.Report(charge.Report.ReportId)) with { UserId = charge.UserId, ReportId = charge.Report.ReportId };
        if (contract.IsUnlimited)
            yield return told with { Kind = EntryKind.CreditsMinted, Quantity = draw.Taken.Count, Before = $"{draw.Before.Quantity}", After = $"{draw.After.Quantity}" };

        var free = contract.IsUnlimited ? draw.Taken.Count : draw.Before.Free.Count;
        foreach (var part in charged.Where(credit => credit.Id.LotId == draw.Before.LotId && draw.Taken.Contains(credit.Id.Ordinal)).GroupBy(credit => credit.UsedOf))
        {
            yield return told with { Quantity = part.Count(), Before = $"{free}", After = $"{free - part.Count()}", UsedOf = part.Key };
            free -= part.Count();
        }
    }
}
