using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>A contract with one user, and the commits of reports that it would make.</summary>
public sealed class Reporting(string contractId, string clientId = "acme")
{
    public static readonly Instant Now = Instant.FromUtc(2026, 3, 1, 0, 0);

    private long taken, used;

    public string ContractId => contractId;

    public string ClientId => clientId;

    /// <summary>The contract's document as its grain finds it: version 1.</summary>
    public Commit Begin => new(clientId, [
        Document(0), new LotChange(contractId, clientId, Lot, IsNew: true), new MemberChange(contractId, clientId, Member(1), null, 0), Entry(EntryKind.LotGranted, 1_000_000)]);

    private DocumentChange Document(long expected) => new(DocumentKind.Contract, contractId, 1, expected, expected == 0 ? "{}" : null, clientId, Now, Now + Duration.FromDays(30));

    private Lot Lot => new("L", LotSource.Purchase, "PAY", 1_000_000, new([new Run(taken + 1, 1_000_000)]), Now, Now, null, Now + Duration.FromDays(365));

    /// <summary>The next report, of so many new players.</summary>
    public Commit Report(string reportId, int players)
    {
        var first = taken + 1;
        (taken, used) = (taken + players, used + 1);
        var credits = Enumerable.Range(0, players).Select(i => new Credit(
            new(contractId, "L", first + i), clientId, "PAY", "U", $"{contractId}-player-{first + i}", "A Name", Now, Now + Duration.FromDays(30), Now, reportId, false, 1)).ToList();
        Change[] changes =
        [
            Document(1), new LotChange(contractId, clientId, Lot), new MemberChange(contractId, clientId, Member(used + 1), null, used),
            .. credits.Select(credit => new PlayerChange(new(clientId, credit.PlayerId!, credit.Id, credit.ExpiresAt, Now, 1), 0)),
            .. credits.Select(credit => new CreditChange(credit, 0)),
            new ReportChange(new(
                reportId, clientId, contractId, "U", Now, players, 0,
                [.. credits.Select(credit => new PlayerOutcome(credit.PlayerId!, PlayerCharge.New, $"{credit.Id}", credit.ExpiresAt))], new(null, 1_000_000 - taken)), IsNew: true),
            Entry(EntryKind.CreditsCharged, players) with { UserId = "U", ReportId = reportId },
        ];
        return new(clientId, Changes.Of(changes).RestingOn(new Guard(RowKey.User(clientId, "U"), 0)));
    }

    private Member Member(long version) => new("U", "Ute", true) { Allocation = Allocation.None with { TotalUsed = taken }, AsOf = Now, Version = version };

    private Entry Entry(EntryKind kind, long quantity) => new()
    {
        Kind = kind, EffectiveAt = Now, BookedAt = Now, Actor = "test", Cause = "test", Subject = Subjects.Lot(contractId, "L"),
        ClientId = clientId, ContractId = contractId, LotId = "L", Quantity = quantity, Before = "1", After = "2",
    };
}
