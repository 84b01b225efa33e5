using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>A row of one kind as it is inserted and then updated, and how it is read.</summary>
/// <param name="Update">What follows the insert; null: there is no update of this kind.</param>
/// <param name="Stale">The update over a version that the row never had; null: an update asks only that the row is there.</param>
/// <param name="Versions">The version after the insert and after the update.</param>
internal sealed record Sample(
    RowKey Key, Change Insert, object Inserted, Change? Update, object? Updated, Change? Stale, (long First, long Second) Versions,
        Func<IStore, IQueries, Task<object?>> Read)
{
    public override string ToString() => $"{Key.Kind}";
}

/// <summary>One row of each kind, no two values alike.</summary>
internal static class Samples
{
    public static readonly Instant Now = Instant.FromUtc(2026, 3, 1, 12, 0);

    public static readonly DocumentChange Document = new("thing", "T", 1, 0, """{"a":1}""", "acme", Day(1), Day(2));

    public static readonly LotChange Lot = new(
        "C", "acme",
            new("L", LotSource.Purchase, "PAY", 10, Runs.Parse("1-4,6"), Day(1), Day(2), Day(9), Day(8), ExpiryBooked: true,
            Request: "asked", Withdrawn: Runs.Parse("5,9-10")), IsNew: true);

    public static readonly MemberChange Member = new(
        "C", "acme",
        new("U", "", true)
        {
            Allocation = new(new(500, Renewal.Weekly, 2, RenewalDay.Of(IsoDayOfWeek.Monday)), new(2026, 3, 2), 3, 4, 5, 6, 7, 8),
            LastChange = new("mia", Day(0)),
            AsOf = Day(1),
            Version = 1,
        },
        Day(2), 0);

    public static readonly UserChange User = new(new("acme", "U", true, Day(1), 1) { Name = "Ute", ChangedBy = "ops" }, 0);

    public static readonly PlayerChange Player = new(new("acme", "P", new("C", "L", 1), Day(30), Day(1), 1), 0);

    public static readonly CreditChange Credit = new(
        new(new("C", "L", 1), "acme", "PAY", "U", "P", "Pia", Day(1), Day(30), Day(2), "R", IsLapsed: false, Version: 1, "cycle:3.4"),
            0);

    public static readonly EndingChange Ending = new(new(new("acme", Day(30), "C", "L", "R", 0), "U", 3, 5), 0);

    public static readonly EndedChange Ended = new("C", "L", 2, 4);

    public static readonly Report Report = new(
        "R", "acme", "C", "U", Day(1), 2, 3,
            [new("P", PlayerCharge.New, "C~L~000000001", Day(30)), new("Q", PlayerCharge.Covered, null, null)], new(4, 5))
    {
        HoldUntil = Day(2),
        Captured = new(Day(2), [new("P", "C~L~000000001", Day(30))]),
    };

    public static readonly PurchaseChange Purchase = new(
        "A", "acme", new("B", "EUR", 10.0001m, 4.5m, 5.5m, 0.0001m, new(2026, 3, 1), new(2026, 3, 31), Day(1), Day(30), Day(2), "asked")
        {
            Description = "Season 2026",
        }, IsNew: true);

    public static readonly ProjectChange Project = new(new("J", "acme", "A", "EUR", 1, 1), 0);

    public static readonly MilestoneChange Milestone =
        new(new("M", "acme", "J", 5.5m, "Planned", new(2026, 3, 1), WasAllocated: true, [new("B", 5.5m)], 1), 0);

    public static readonly Consumption Consumption =
        new("A", 1, ConsumptionKind.Adjustment, "B", "M", "EUR", 5.5m, new(2026, 3, 1), Day(1));

    public static readonly Entry Entry = new()
    {
        Kind = EntryKind.ServicesCreditsReturned,
        EffectiveAt = Day(1),
        BookedAt = Day(2),
        Actor = "test",
        Reason = "why",
        Cause = "cause",
        Subject = "lot:C~L",
        Quantity = 7,
        ServicesCredits = 0.5m,
        Before = "1",
        After = "2",
        ClientId = "acme",
        ContractId = "C",
        UserId = "U",
        ReportId = "R",
        LotId = "L",
        UsedOf = Allocation.Extra,
        AccountId = "A",
    };

    public static readonly EpochChange Epoch = new("thing", "T", 2, 1);

    /// <summary>One change of each kind, each of them possible after those before it.</summary>
    public static ImmutableArray<Change> Changes =>
        [Document, Epoch, Lot, Member, User, Player, Credit, Ending, Ended, Report.Made(), Purchase, Project, Milestone, Consumption, Entry];

    public static ImmutableArray<Sample> All =>
    [
        new(
            Document.Row, Document, AsRead(Document),
            Document with { Expected = 1, Version = 2, Body = null, Owner = "bolt", AsOf = Day(3), DueAt = null },
            AsRead(Document with { Version = 2, Owner = "bolt", AsOf = Day(3), DueAt = null }),
            Document with { Expected = 2, Version = 3 }, (1, 2), async (store, _) => await store.Document("thing", "T")),
        new(
            Lot.Row, Lot, Lot.Lot, Lot with { IsNew = false, Lot = Later(Lot.Lot) }, Later(Lot.Lot), null, (1, 1), async (store, _) =>
                await store.Lot("C", "L")),
        new(
            Member.Row, Member, Member.Member, Member with { Expected = 1, Member = Later(Member.Member) }, Later(Member.Member),
            Member with { Expected = 2 }, (1, 2), async (store, _) => (await store.Members("C")).SingleOrDefault()),
        new(
            User.Row, User, User.User, new UserChange(User.User with { Name = "Uta", Disabled = false, AsOf = Day(3), Version = 2 }, 1),
            User.User with { Name = "Uta", Disabled = false, AsOf = Day(3), Version = 2 }, User with { Expected = 2 }, (1, 2),
            async (store, _) => await store.User(new("acme", "U"))),
        new(
            Player.Player.Row, Player, Player.Player,
                new PlayerChange(Player.Player with { Credit = null, CoversUntil = null, AsOf = Day(3), Version = 2 }, 1),
            Player.Player with { Credit = null, CoversUntil = null, AsOf = Day(3), Version = 2 }, Player with { Expected = 2 }, (1, 2),
            async (store, _) => (await store.Read(new("acme", "C") { Players = ["P"] })).Players.GetValueOrDefault("P")),
        new(
            Credit.Row, Credit, Credit.Credit, new CreditChange(Later(Credit.Credit), 1), Later(Credit.Credit),
                Credit with { Expected = 2 }, (1, 2),
            async (store, _) => await store.Credit(Credit.Credit.Id)),
        new(
            Ending.Ending.Key.Row, Ending, Ending.Ending, new EndingChange(Ending.Ending with { Credits = 2, Last = 6 }, 3),
            Ending.Ending with { Credits = 2, Last = 6 }, Ending with { Expected = 4 }, (3, 2),
            async (store, _) => (await store.Read(new("acme", "C") { Endings = [Ending.Ending.Key] })).Endings.GetValueOrDefault(Ending.Ending.Key)),
        new(
            Report.Row, Report.Made(), Report, new ReportChange(Undone(Report), IsNew: false), Undone(Report), null, (1, 1), async (_, queries) => await queries.Report(new("acme", "R"))),
        new(
            Purchase.Row, Purchase, Purchase.Purchase,
                Purchase with { IsNew = false, Purchase = Later(Purchase.Purchase) }, Later(Purchase.Purchase), null, (1, 1), async (store, _) =>
                await store.Purchase("A", "B")),
        new(
            Project.Row, Project, Project.Project, new ProjectChange(new("J", "acme", "A2", "USD", 2, 2), 1),
                new Project("J", "acme", "A2", "USD", 2, 2),
            Project with { Expected = 2 }, (1, 2), async (_, queries) => await queries.Project("J")),
        new(
            Milestone.Row, Milestone, Milestone.Milestone, new MilestoneChange(Later(Milestone.Milestone), 1), Later(Milestone.Milestone),
            Milestone with { Expected = 2 }, (1, 2), async (_, queries) => await queries.Milestone("M")),
        new(
            Consumption.Row, Consumption, Consumption, null, null, null, (1, 1),
            async (_, queries) => (await queries.Consumptions(new("A", null), new(10, null))).Items.SingleOrDefault()),
    ];

    public static Instant Day(int day) => Instant.FromUtc(2026, 3, 1, 0, 0) + Duration.FromDays(day) + Duration.FromTicks(10 * day);

    /// <summary>The change that inserts a report's row.</summary>
    public static ReportChange Made(this Report report) => new(report, IsNew: true);

    public static Document AsRead(DocumentChange change) =>
        new(change.Kind, change.Id, change.Version, change.Body!, change.Owner, change.AsOf, change.DueAt);

    private static Lot Later(Lot lot) =>
        lot with
        {
            PaymentId = "PAY-2", Quantity = 11, Free = Runs.Empty, AvailableFrom = Day(3), AskedExpiry = null, ExpiresAt = null, ExpiryBooked = false,
            Withdrawn = Runs.Only(1),
        };

    private static Purchase Later(Purchase purchase) => purchase.With(
        new(11, new(2026, 3, 2), new(2026, 4, 1), Day(3), Day(31), null)) with { Free = 1, Allocated = 2, Expired = 8 };

    private static Report Undone(Report report) => report with { Captured = null, Voided = [new("P", "C~L~000000001", Day(4), "why")] };

    private static Member Later(Member member) => member with
    {
        Assigned = false, Allocation = Allocation.None with { TotalUsed = 9 }, LastChange = null, AsOf = Day(3), Version = 2,
    };

    private static Credit Later(Credit credit) => credit with
    {
        UsedBy = null, PlayerName = null, ExpiresAt = null, ActivatedAt = null, Version = 2, UsedOf = null,
    };

    private static Milestone Later(Milestone milestone) => milestone with
    {
        ProjectId = "J2", ServicesCredits = 6, Status = "Done", ActualDate = null, WasAllocated = false, Holdings = [], Version = 2,
    };
}
