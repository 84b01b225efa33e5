using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A report to be voided (R7).</summary>
/// <param name="Players">Whose credits go back; null: all.</param>
/// <param name="IsConsumer">Whether the caller may do so only for the contract's voidMinutes.</param>
public sealed record VoidReport(ReportKey Report, ImmutableArray<string>? Players, string Reason, string Actor, bool IsConsumer);

/// <summary>A hold to be captured (R8).</summary>
/// <param name="Players">Who stays charged, while the others' credits go back; null: all.</param>
public sealed record CaptureReport(ReportKey Report, ImmutableArray<string>? Players, string Actor);

/// <summary>What has become of a report: of the players whom the request names, or of all.</summary>
/// <param name="HoldUntil">null: it is no hold.</param>
/// <param name="Captured">null: it was not captured.</param>
/// <param name="GivenBack">The credits that went back, by this request or before it, in that order.</param>
public sealed record UndoneReport(
    string ReportId, string ClientId, string ContractId, string UserId, Instant? HoldUntil, Capture? Captured, ImmutableArray<GivenBack> GivenBack);

/// <summary>The rows that a void or capture reads.</summary>
/// <param name="Report">null: there is none of that id.</param>
/// <param name="Credits">Those that it charged, where they still have a row.</param>
/// <param name="Lots">Their lots by id; where the contract has one open, the contract's own copy counts.</param>
/// <param name="Players">Its charged players by id.</param>
/// <param name="User">The report's user; null: there is no report.</param>
public sealed record SeenReport(
    Report? Report,
    IReadOnlyDictionary<CreditId, Credit> Credits,
    IReadOnlyDictionary<string, Lot> Lots,
    IReadOnlyDictionary<string, Player> Players,
    Member? User)
{
    /// <summary>The endings of those credits.</summary>
    public Endings Endings { get; init; } = Endings.None;

    /// <summary>The latest effective instant of these rows: nothing is decided as of an earlier one.</summary>
    public Instant AsOf => Players.Values.Select(player => player.AsOf).Concat(Credits.Values.Select(Endings.BookedEnd).OfType<Instant>())
        .Append(User?.AsOf ?? Instant.MinValue).Max();

    /// <summary>The rows of others, in the versions in which they were read.</summary>
    public IEnumerable<Guard> RestsOn(string contractId) =>
    [
        .. Players.Values.Select(player => new Guard(player.Row, player.Version)),
        .. User is null ? Enumerable.Empty<Guard>() : [new(RowKey.Member(contractId, User.UserId), User.Version)],
        .. Endings.Guards,
    ];

    // The credits of these players that the report charged and still has, and that still cover (R7).
    internal IEnumerable<Leaving> Covering(Func<string, bool> isNamed, Instant now) =>
        from outcome in Report!.Players
        where outcome.Charge == PlayerCharge.New && isNamed(outcome.PlayerId)
        let credit = Credits.GetValueOrDefault(CreditId.Parse(outcome.CreditId!))
        where credit is not null && credit.ReportId == Report.ReportId && credit.PlayerId == outcome.PlayerId && credit.CoversAt(now)
        select new Leaving(credit, Lots[credit.Id.LotId], Players.GetValueOrDefault(outcome.PlayerId));
}

/// <summary>Voids reports (R7), and captures those that are held (R8).</summary>
public static class Undoing
{
    /// <summary>
    /// Gives back the credits that the report charged and still has. Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.InvalidField"/>,
    /// <see cref="RefusalCode.Forbidden"/> or <see cref="RefusalCode.HoldOver"/>. Where nothing is left to be given back, nothing changes.
    /// </summary>
    public static Decision<Changed<Contract, UndoneReport>> Decide(Contract contract, SeenReport seen, VoidReport request, Instant now)
    {
        if (seen.Report is not { } report || report.ContractId != contract.Terms.ContractId) return Refusal.NotFound($"report {request.Report.ReportId}");
        if (Stranger(report, request.Players) is { } stranger) return stranger;
        if (request.IsConsumer && !MayVoid(contract.Terms, report, now)) return TooLate(contract.Terms);
        if (report.IsHoldOver(now)) return Over(report);

        // After this line the report is voided.
        var isNamed = Named(request.Players);
        var leaving = seen.Covering(isNamed, now).ToList();
        if (leaving.Count == 0) return new Changed<Contract, UndoneReport>(contract, Changes.None, Shown(report, given => isNamed(given.PlayerId)));

        var act = new Act(request.Actor, request.Reason, Causes.Void(report.ReportId), now, now);
        var (next, changes, voided) = GiveBack(contract.WithRead(seen.User!), report, leaving, seen.Endings, act);
        return new Changed<Contract, UndoneReport>(
            next.Remember(voided), changes + [new ReportChange(voided, IsNew: false)], Shown(voided, given => isNamed(given.PlayerId)));
    }

    /// <summary>
    /// Charges a hold for good, for those players, and gives the others' credits back at once. Refuses with <see cref="RefusalCode.NotFound"/>,
    /// <see cref="RefusalCode.InvalidField"/> or <see cref="RefusalCode.HoldOver"/>. The same again changes nothing.
    /// </summary>
    public static Decision<Changed<Contract, UndoneReport>> Decide(Contract contract, SeenReport seen, CaptureReport request, Instant now)
    {
        if (seen.Report is not { } report || report.ContractId != contract.Terms.ContractId) return Refusal.NotFound($"report {request.Report.ReportId}");
        if (report.HoldUntil is null) return Refusal.Invalid("reportId", "must be the id of a report that was made with holdSeconds");
        if (Stranger(report, request.Players) is { } stranger) return stranger;
        var isNamed = Named(request.Players);
        if (report.Captured is { } captured)
            return Repeats(report, captured, isNamed)
                ? new Changed<Contract, UndoneReport>(contract, Changes.None, Shown(report, given => given.At <= captured.At))
                : new Refusal(RefusalCode.HoldOver, $"The hold of the report {report.ReportId} was captured before, for other players.");
        if (report.IsHoldOver(now)) return Over(report);

        // After this line the hold is captured.
        var covering = seen.Covering(_ => true, now).ToLookup(one => isNamed(one.Credit.PlayerId!));
        var kept = covering[true].Select(one => (one.Owner, Before: one.Credit, After: Captured(one.Credit))).ToList();
        var act = new Act(request.Actor, null, Causes.Capture(report.ReportId), now, now);
        var rows = kept.Select(one => ((Credit?)one.Before, (Credit?)one.After));
        var (next, changes, voided) = GiveBack(contract.WithRead(seen.User!), report, [.. covering[false]], seen.Endings, act, rows);
        var credits = kept.Select(one => new CapturedCredit(one.After.PlayerId!, $"{one.After.Id}", one.After.ExpiresAt));
        var made = voided with { Captured = new(now, [.. credits]) };
        return new Changed<Contract, UndoneReport>(
            next.Release(kept.Select(one => one.Before)),
            changes +
            [
                .. kept.Where(one => one.Before != one.After).Select(one => new CreditChange(one.After, one.Before.Version)),
                .. kept.Where(one => one.Before != one.After && one.Owner?.Credit == one.After.Id).Select(one => one.Owner!.Gets(one.After, now)),
                new ReportChange(made, IsNew: false),
                contract.Tell(EntryKind.HoldCaptured, Subjects.Report(report.ReportId), request.Actor, act.Cause, now) with
                {
                    UserId = report.UserId,
                    ReportId = report.ReportId,
                    Before = Json.Write(new { report.HoldUntil }),
                    After = Json.Write(new { made.Captured }),
                },
            ],
            Shown(made, _ => true));
    }

    private static Changed<Contract, Report> GiveBack(
        Contract contract, Report report, IReadOnlyCollection<Leaving> leaving, Endings endings, Act act,
        params IEnumerable<(Credit? Before, Credit? After)> kept)
    {
        if (leaving.Count == 0) return new(contract, endings.Move(kept, act.At), report);
        var (next, changes, _) = GivingBack.Decide(contract, leaving, endings, act, kept);
        var given = leaving.Select(one => new GivenBack(one.Credit.PlayerId!, $"{one.Credit.Id}", act.At, act.Reason));
        return new(next, changes, report with { Voided = [.. report.Voided, .. given] });
    }

    private static Credit Captured(Credit credit) =>
        credit.HeldUntil is null ? credit : credit with { HeldUntil = null, Version = credit.Version + 1 };

    // Whether a capture for these players would have left the hold as this one did.
    private static bool Repeats(Report report, Capture captured, Func<string, bool> isNamed) =>
        captured.Players.All(kept => isNamed(kept.PlayerId))
        && !report.Voided.Any(given => given.At == captured.At && given.Reason is null && isNamed(given.PlayerId));

    // Before it is captured, a hold is its maker's to end.
    private static bool MayVoid(Terms terms, Report report, Instant now) =>
        now < report.At + Duration.FromMinutes(terms.VoidMinutes) || (report.HoldUntil is not null && report.Captured is null);

    private static Func<string, bool> Named(ImmutableArray<string>? players) => players is { } named ? named.ToHashSet().Contains : _ => true;

    private static Refusal? Stranger(Report report, ImmutableArray<string>? players) => players is not { } named ? null : Refusal.All(named
        .Index()
        .Where(player => report.Players.All(outcome => outcome.PlayerId != player.Item))
        .Select(player => Refusal.Invalid($"players[{player.Index}]", $"must be a player of the report {report.ReportId}")));

    private static Refusal Over(Report report) =>
        new(RefusalCode.HoldOver, $"The hold of the report {report.ReportId} ended at {report.HoldUntil}; make a new report.");

    private static Refusal TooLate(Terms terms) => new(
        RefusalCode.Forbidden,
        terms.VoidMinutes == 0
            ? "Reports of this contract must be voided by a manager or an operator."
            : $"A report must be voided by a manager or an operator once it is {terms.VoidMinutes:N0} minutes old.");

    private static UndoneReport Shown(Report report, Func<GivenBack, bool> isShown) => new(
        report.ReportId, report.ClientId, report.ContractId, report.UserId, report.HoldUntil, report.Captured, [.. report.Voided.Where(isShown)]);
}
