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

    /// <summary>A contract that knows its only user, anna, and that nothing restricts her.</summary>
    public static Contract Contract(params Lot[] lots) => new Contract(Terms, 1, [.. lots], NewYear).With(Anna) with { HasAllMembers = true };

    public static readonly Member Anna = new("anna", "Anna", Assigned: true) { Version = 1 };

    public static Lot Lot(string id, long quantity, int? until = 30, int from = 0) => new(
        id, LotSource.Purchase, $"P-{id}", quantity, Runs.UpTo(quantity), NewYear, Day(from),
        until is { } asked ? Day(asked) : null, until is { } day ? Day(day) : null);

    public static GrantLot Grant(string id, long quantity, int? from = null, int? until = null) => new(
        id, LotSource.Purchase, $"P-{id}", quantity, from is { } begin ? Day(begin) : null, until is { } end ? Day(end) : null, "ops");

    public static Credit Credit(string playerId, int until) => new(
        new("C1", "L1", 1), "acme", "P-L1", "anna", playerId, playerId, NewYear, Day(until), NewYear, "R1", IsLapsed: false, Version: 1);

    /// <summary>The endings of these credits, whose ends are not booked.</summary>
    public static Endings Endings(params Credit[] credits)
    {
        var found = credits.GroupBy(credit => EndingKey.Of(credit)!.Value)
            .Select(together => new Ending(together.Key, together.First().UsedBy, together.Count(), together.Max(credit => credit.Id.Ordinal)));
        return new([.. found.Select(ending => ending.Key)], found.ToDictionary(ending => ending.Key));
    }

    /// <summary>The row of a player who has that credit, as of new year.</summary>
    public static Player Player(string playerId, Credit credit) => new("acme", playerId, credit.Id, credit.ExpiresAt, NewYear, Version: 1);

    /// <summary>The row of a player whose credit covers until midnight of that day.</summary>
    public static Player Player(string playerId, int until) => Player(playerId, Credit(playerId, until));

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

    /// <summary>Anna's report R1 of these players.</summary>
    public static ChargeReport Report(params string[] players) => new(
        new("acme", "R1"), "C1", "anna", [.. players.Select(player => new PlayerName(player, null))], "key", DryRun: false);

    /// <summary>What a report rests on: the rows of the players who have, or had, a credit.</summary>
    public static ReportFacts Facts(params Player[] rows) => new(rows.ToDictionary(row => row.PlayerId));

    /// <summary>These changes with each of a kind replaced: how bugs are planted.</summary>
    public static Changes With<TChange>(this Changes changes, Func<TChange, TChange?> replace) where TChange : Change =>
        Changes.Of([.. changes.Select(change => change is TChange one ? replace(one) : change).OfType<Change>()]).RestingOn(changes.Guards);
}
