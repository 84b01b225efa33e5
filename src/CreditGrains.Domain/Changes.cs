using System.Collections.Immutable;

namespace CreditGrains.Domain;

/// <summary>A lot as it now is; <paramref name="IsNew"/>: it must not have been there.</summary>
public sealed record LotChange(string ContractId, string ClientId, Lot Lot, bool IsNew = false);

/// <summary>A credit as it now is, and the version that it must have had: 0 where it must not have been there, and its player must have had no current one.</summary>
public sealed record CreditChange(Credit Credit, long Expected);

/// <summary>Credits that a user has used of a contract; it is refused where the user is not assigned or is disabled by then.</summary>
public sealed record Use(string ContractId, string UserId, long Credits);

/// <summary>A user of a contract (C3).</summary>
public sealed record Member(string UserId, string Name, bool Assigned);

/// <summary>A member as it now is.</summary>
public sealed record MemberChange(string ContractId, string ClientId, Member Member);

/// <summary>A user disabled or enabled for all contracts of the client (C3).</summary>
public sealed record UserSwitch(string ClientId, string UserId, bool Disabled);

/// <summary>A request remembered by its Idempotency-Key: what it asked, and the id of what it made (§3).</summary>
/// <param name="Key">1 to 200 characters, hashed.</param>
public sealed record KeyedRequest(string ClientId, string Key, string Fingerprint, string Made);

/// <summary>What a decision changes besides the state of the actor that decided: rows, a report's record, and the entries that explain them. All of it is committed, or nothing.</summary>
public sealed record Changes
{
    public static readonly Changes None = new();

    public ImmutableArray<LotChange> Lots { get; init; } = [];

    public ImmutableArray<CreditChange> Credits { get; init; } = [];

    public ImmutableArray<Use> Uses { get; init; } = [];

    public ImmutableArray<MemberChange> Members { get; init; } = [];

    public ImmutableArray<UserSwitch> Switches { get; init; } = [];

    public ImmutableArray<KeyedRequest> Requests { get; init; } = [];

    public ImmutableArray<Report> Reports { get; init; } = [];

    public ImmutableArray<PurchaseChange> Purchases { get; init; } = [];

    public ImmutableArray<ProjectChange> Projects { get; init; } = [];

    public ImmutableArray<MilestoneChange> Milestones { get; init; } = [];

    public ImmutableArray<Consumption> Consumptions { get; init; } = [];

    public ImmutableArray<Entry> Entries { get; init; } = [];

    public bool IsNothing => Lots.IsEmpty && Credits.IsEmpty && Uses.IsEmpty && Members.IsEmpty && Switches.IsEmpty && Requests.IsEmpty && Reports.IsEmpty && Purchases.IsEmpty && Projects.IsEmpty && Milestones.IsEmpty && Consumptions.IsEmpty && Entries.IsEmpty;
}
