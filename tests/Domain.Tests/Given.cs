using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain.Tests;

/// <summary>What tests begin with: a contract of 2026 in UTC whose credits live and cover for 30 days.</summary>
internal static class Given
{
    public static readonly Instant NewYear = At("2026-01-01T00:00:00Z");

    public static readonly Terms Terms = new(
        "C1", "acme", "Acme 2026", ContractType.Metered, "UTC", new(2026, 1, 1), new(2026, 12, 31),
        UnallocatedLifetimeDays: 30, CoverageDays: 30, CoverageFrom.Activation);

    public static Instant At(string text) => InstantPattern.ExtendedIso.Parse(text).Value;

    /// <summary>Midnight UTC that many days after new year.</summary>
    public static Instant Day(int day) => NewYear + Duration.FromDays(day);

    public static Contract Contract(params Lot[] lots) => new(Terms, 1, [.. lots], NewYear);

    public static Lot Lot(string id, long quantity, int? until = 30, int from = 0) => new(
        id, LotSource.Purchase, $"P-{id}", quantity, Runs.UpTo(quantity), NewYear, Day(from),
        until is { } asked ? Day(asked) : null, until is { } day ? Day(day) : null);

    public static GrantLot Grant(string id, long quantity, int? from = null, int? until = null) => new(
        id, LotSource.Purchase, $"P-{id}", quantity, from is { } begin ? Day(begin) : null, until is { } end ? Day(end) : null, "ops");

    public static Credit Credit(string playerId, int until) => new(
        new("C1", "L1", 1), "acme", "P-L1", "anna", playerId, playerId, NewYear, Day(until), NewYear, "R1",
        IsCurrent: true, ExpiryBooked: false, Version: 1);

    /// <summary>An account in UTC with project J1 in euros.</summary>
    public static Account Account(params Purchase[] purchases) => new(
        new("A1", "acme", "Acme", "UTC"), 0, [.. purchases], NewYear,
        ServicesFacts.None with { Projects = ServicesFacts.None.Projects.Add("J1", new("J1", "acme", "A1", "EUR", 0, 1)) });

    /// <summary>A purchase from midnight of that day after new year to midnight of another.</summary>
    public static Purchase Purchase(string id, decimal quantity, int until = 30, int from = 0, string currency = "EUR") => new(
        id, currency, quantity, quantity, 0, 0, Terms.StartsOn.PlusDays(from), Terms.StartsOn.PlusDays(until - 1), Day(from), Day(until), NewYear, "");

    public static Milestone Milestone(string id, decimal servicesCredits, string status = "Planned") => new(id, "acme", "J1", servicesCredits, status, null, WasAllocated: false, [], 1);

    public static SetMilestone Plan(string id, decimal? servicesCredits = null, string status = "Planned", LocalDate? actualDate = null, string project = "J1", long? expected = null) =>
        new(id, project, servicesCredits, status, actualDate, expected, "manager");

    public static AllocateCredits Allocate(string id, long? expected = null) => new(id, expected, "manager");

    public static AdjustCredits Adjust(string id, decimal quantity, long? expected = null) => new(id, quantity, expected, "manager");

    public static Account With(this Account account, Milestone milestone) =>
        account with { Services = account.Services with { Milestones = account.Services.Milestones.SetItem(milestone.MilestoneId, milestone) } };

    /// <summary>A report of players who have no credit yet.</summary>
    public static ChargeCredits Charge(params string[] players) => Charge("R1", [.. players.Select(player => new PlayerOnReport(player, null, null, Claimed: true))]);

    public static ChargeCredits Charge(string reportId, PlayerOnReport[] players) => new(
        new("acme", reportId), "anna", "key", [.. players], new(players.Count(player => player.Claimed), null, null));
}
