using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A player named in a report.</summary>
/// <param name="Name">0 to 200 characters; null: none.</param>
public sealed record PlayerName(string PlayerId, string? Name);

/// <summary>A report to be made (R1).</summary>
/// <param name="Players">1 to 1,000, each once.</param>
/// <param name="DryRun">Whether to answer only what would happen and change nothing (R6).</param>
public sealed record ChargeReport(ReportKey Report, string ContractId, string UserId, ImmutableArray<PlayerName> Players, string Actor, bool DryRun)
{
    /// <summary>The shortest and longest hold, in seconds (R8).</summary>
    public const int MinHold = 10, MaxHold = 86_400;

    /// <summary>How long it is held unless it is captured, in seconds; null: it is no hold.</summary>
    public int? HoldSeconds { get; init; }

    /// <summary>The request's Idempotency-Key; null: it has none.</summary>
    public RequestKey? Key { get; init; }
}

/// <summary>The rows that a report rests on besides its contract.</summary>
/// <param name="Players">The rows of its players by id; a player without a row never had a credit.</param>
public sealed record ReportFacts(IReadOnlyDictionary<string, Player> Players)
{
    public static readonly ReportFacts None = new(ImmutableDictionary<string, Player>.Empty);

    internal Player Player(ChargeReport report, string playerId) =>
        Players.GetValueOrDefault(playerId) ?? Domain.Player.Unknown(report.Report.ClientId, playerId);
}

/// <summary>Takes one credit for each uncovered player of a report (R1, R2, L2, P2, P3). All or nothing.</summary>
public static class Charging
{
    /// <summary>
    /// Refuses, in this order (R2), with <see cref="RefusalCode.ContractNotActive"/>, <see cref="RefusalCode.UserNotAssigned"/>,
    /// <see cref="RefusalCode.UserDisabled"/>, <see cref="RefusalCode.InsufficientAllocation"/> or <see cref="RefusalCode.InsufficientContractCredits"/>;
    /// a report that charges nothing passes the last two. The contract must have loaded the user's row, if there is one.
    /// </summary>
    public static Decision<Changed<Contract, Report>> Decide(Contract contract, ReportFacts facts, ChargeReport report, Instant now)
    {
        var players = report.Players.Select(player => (player.Name, Row: facts.Player(report, player.PlayerId))).ToList();
        var uncovered = players.Where(player => !player.Row.IsCoveredAt(now)).ToList();
        var user = new Allowance(contract.Terms, contract.Plan.Enabled, contract.Members.GetValueOrDefault(report.UserId));
        var amounts = user.AmountsAt(now, uncovered.Count, contract.RemainingAt(now));
        if (NotActive(contract.Terms, amounts, now) is { } inactive) return inactive;
        if (user.Refuses(report.UserId, amounts) is { } refusal) return refusal;
        if (amounts.ContractRemaining < uncovered.Count)
        {
            var detail = $"The report needs {Refusal.Credits(uncovered.Count)}; the contract has {amounts.ContractRemaining:N0}.";
            return new Refusal(RefusalCode.InsufficientContractCredits, detail, Amounts: amounts);
        }

        // After this line the report succeeds.
        var draws = contract.IsUnlimited ? Mint(contract, uncovered.Count, now) : contract.Lots.Take(uncovered.Count, now);
        var (member, renewals, sources) = user.Use(uncovered.Count, now);
        var credits = draws
            .SelectMany(draw => draw.Taken.Ordinals().Select(ordinal => (Lot: draw.Before, ordinal)))
            .Zip(uncovered, sources)
            .Select(taken => Activate(contract.Terms, report, taken.Second.Row.PlayerId, taken.Second.Name, taken.First, taken.Third, now))
            .Select(credit => Until(report, now) is { } end && !(credit.ExpiresAt <= end) ? credit with { HeldUntil = end } : credit)
            .ToList();
        var used = contract.Change(user.Member, member);
        var next = contract.With([.. draws.Select(draw => draw.After)]) with { AsOf = now };
        if (credits.Count > 0) next = next.With(used.Member);
        var made = Made(report, players, credits, new(amounts.UserAvailable - credits.Count, next.RemainingAt(now)), now);

        return new Changed<Contract, Report>(
            next.Hold(made, credits.Where(credit => credit.HeldUntil is not null)),
            [
                .. draws.Select(draw => contract.Change(draw.After, isNew: draw.Before.Quantity == 0)),
                .. credits.Count > 0 ? [used] : Array.Empty<Change>(),
                .. uncovered.Zip(credits, (player, credit) => player.Row.Gets(credit, now)),
                .. credits.Select(credit => new CreditChange(credit, 0)),
                .. Endings.None.Move(credits.Select(credit => ((Credit?)null, (Credit?)credit)), now),
                new ReportChange(made, IsNew: true),
                .. KeyOf(report, now),
                .. credits.Count > 0 ? renewals : Changes.None,
                .. draws.SelectMany(draw => Explain(contract, report, draw, credits, now)),
            ],
            made);
    }

    /// <summary>The report as a dry run answers it beside its refusal (R6): all uncovered players would be charged, none has a credit.</summary>
    public static Report Outline(Contract? contract, ReportFacts facts, ChargeReport report, Refusal refusal, Instant now)
    {
        var players = report.Players.Select(player => (player.Name, Row: facts.Player(report, player.PlayerId))).ToList();
        return Made(report, players, [], new(refusal.Amounts?.UserAvailable, contract?.RemainingAt(now)), now) with
        {
            Charged = players.Count(player => !player.Row.IsCoveredAt(now)),
        };
    }

    /// <summary>
    /// Guards for everything that a report, refused or not, has read besides its contract: the user's two rows, every player's row,
    /// and the absence of the report's own (R5).
    /// </summary>
    public static IEnumerable<Guard> RestsOn(Contract contract, ReportFacts facts, ChargeReport report)
    {
        var member = contract.Members.GetValueOrDefault(report.UserId);
        yield return new(RowKey.Member(contract.Terms.ContractId, report.UserId), member?.Version ?? 0);
        if (member is not null) yield return new(RowKey.User(contract.ClientId, report.UserId), member.UserVersion);
        yield return new(RowKey.Report(report.Report.ClientId, report.Report.ReportId), 0);
        foreach (var player in report.Players.Select(player => facts.Player(report, player.PlayerId))) yield return new(player.Row, player.Version);
    }

    /// <summary>The latest effective instant of the rows that a report rests on: it is not decided as of an earlier one (P3).</summary>
    public static Instant AsOf(Contract contract, ReportFacts facts, ChargeReport report)
    {
        var latest = contract.Members.GetValueOrDefault(report.UserId)?.AsOf ?? Instant.MinValue;
        foreach (var player in report.Players)
            if (facts.Players.GetValueOrDefault(player.PlayerId) is { } row && row.AsOf > latest) latest = row.AsOf;
        return latest;
    }

    /// <summary>The refusal outside the contract's days (C1); null within them.</summary>
    public static Refusal? NotActive(Terms terms, Amounts? amounts, Instant now)
    {
        if (terms.IsActiveAt(now)) return null;
        var until = terms.EndsOn is { } last ? $" to {last:R}" : "";
        var detail = $"The contract must be active; its days are from {terms.StartsOn:R}{until} ({terms.TimeZone}).";
        return new(RefusalCode.ContractNotActive, detail, Amounts: amounts);
    }

    private static Change[] KeyOf(ChargeReport report, Instant now) => report.Key is { } key
        ? [Remembered.Keep(new KeyedRequest(report.Report.ClientId, key.Key, key.Fingerprint, report.Report.ReportId), now)]
        : [];

    private static Report Made(ChargeReport report, List<(string? Name, Player Row)> players, List<Credit> credits, Balance balance, Instant now)
    {
        var charged = credits.ToDictionary(credit => credit.PlayerId!);
        return new(
            report.Report.ReportId,
            report.Report.ClientId,
            report.ContractId,
            report.UserId,
            now,
            credits.Count,
            players.Count(player => player.Row.IsCoveredAt(now)),
            [.. players.Select(player => OutcomeOf(player.Row))],
            balance) { HoldUntil = Until(report, now) };

        PlayerOutcome OutcomeOf(Player player) => player.IsCoveredAt(now)
            ? new(player.PlayerId, PlayerCharge.Covered, $"{player.Credit}", player.CoversUntil)
            : charged.GetValueOrDefault(player.PlayerId) is { } credit
                ? new(player.PlayerId, PlayerCharge.New, $"{credit.Id}", credit.CoversUntil)
                : new(player.PlayerId, PlayerCharge.New, null, null);
    }

    private static Instant? Until(ChargeReport report, Instant now) =>
        report.HoldSeconds is { } seconds ? now + Duration.FromSeconds(seconds) : null;

    private static Credit Activate(
        Terms terms, ChargeReport report, string playerId, string? name, (Lot Lot, long Ordinal) source, string? usedOf, Instant now) => new(
        new(terms.ContractId, source.Lot.LotId, source.Ordinal),
        report.Report.ClientId,
        source.Lot.PaymentId,
        report.UserId,
        playerId,
        name,
        source.Lot.CreatedAt,
        terms.CoverageEnd(now, source.Lot.ExpiresAt),
        now,
        report.Report.ReportId,
        IsLapsed: false,
        Version: 1,
        usedOf);

    // C2: credits are minted as they are used, each with the expiry that L4 would give a lot of that instant.
    private static IReadOnlyList<Draw> Mint(Contract contract, long quantity, Instant now)
    {
        if (quantity == 0) return [];
        var terms = contract.Terms;
        var expiry = Granting.DefaultExpiry(terms, now);
        var lot = contract.Lots.SingleOrDefault()
            ?? new Lot(Lot.MintedId, LotSource.Minted, Lot.MintedId, 0, Runs.Empty, now, now, null, null);
        var grown = lot with { Quantity = lot.Quantity + quantity };
        return [new(lot with { CreatedAt = now, ExpiresAt = terms.CutToEnd(expiry) }, grown, new([new Run(lot.Quantity + 1, grown.Quantity)]))];
    }

    // One entry for the credits that were drawn from one lot and used by one right.
    private static IEnumerable<Entry> Explain(Contract contract, ChargeReport report, Draw draw, IReadOnlyCollection<Credit> charged, Instant now)
    {
        var told = contract.Tell(EntryKind.CreditsCharged, draw.After, now, now, report.Actor, Causes.Report(report.Report.ReportId)) with
        {
            UserId = report.UserId,
            ReportId = report.Report.ReportId,
        };
        if (contract.IsUnlimited)
        {
            yield return told with
            {
                Kind = EntryKind.CreditsMinted,
                Quantity = draw.Taken.Count,
                Before = $"{draw.Before.Quantity}",
                After = $"{draw.After.Quantity}",
            };
        }

        var free = contract.IsUnlimited ? draw.Taken.Count : draw.Before.Free.Count;
        var drawn = charged.Where(credit => credit.Id.LotId == draw.Before.LotId && draw.Taken.Contains(credit.Id.Ordinal));
        foreach (var part in drawn.GroupBy(credit => credit.UsedOf))
        {
            yield return told with { Quantity = part.Count(), Before = $"{free}", After = $"{free - part.Count()}", UsedOf = part.Key };
            free -= part.Count();
        }
    }
}
