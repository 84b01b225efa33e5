using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A lot as it now is; <paramref name="IsNew"/>: it must not have been there.</summary>
public sealed record LotChange(string ContractId, string ClientId, Lot Lot, bool IsNew = false)
{
    /// <summary>What it must have had free, where it is not among the open lots that the contract itself guards; null: it is.</summary>
    public Runs? From { get; init; }
}

/// <summary>A credit as it now is, and the version that it must have had: 0 where it must not have been there, and its player must have had no current one. One that was there has had the same player and report: where those change it goes, and comes anew.</summary>
public sealed record CreditChange(Credit Credit, long Expected)
{
    /// <summary>The row goes: the credit lies in its lot again, or apart from it, or comes anew as another row.</summary>
    public bool IsGone { get; init; }
}

/// <summary>Credits that a user has used of a contract; it is refused where the user is not assigned or is disabled by then.</summary>
public sealed record Use(string ContractId, string UserId, long Credits)
{
    /// <summary>Credits of the cycle; refused where its amount is exceeded.</summary>
    public long OfCycle { get; init; }

    /// <summary>Extra credits; refused where there are fewer, or the cycle is not used up (A4).</summary>
    public long OfExtra { get; init; }

    /// <summary>The cycle that must still be the user's; null: whatever it is.</summary>
    public CycleKey? Cycle { get; init; }

    /// <summary>The extra credits that must still be granted in all, where there is a cycle; null: however many.</summary>
    public long? ExtraCredits { get; init; }

    /// <summary>When that cycle ends; null: never.</summary>
    public Instant? DueAt { get; init; }

    /// <summary>Two uses of one user by one right as one.</summary>
    public static Use operator +(Use one, Use other) => one with
    {
        Credits = one.Credits + other.Credits,
        OfCycle = one.OfCycle + other.OfCycle,
        OfExtra = one.OfExtra + other.OfExtra,
        Cycle = one.Cycle ?? other.Cycle,
        ExtraCredits = one.ExtraCredits ?? other.ExtraCredits,
        DueAt = one.DueAt ?? other.DueAt,
    };
}

/// <summary>A use that a user is given back (P5), assigned and enabled or not.</summary>
public sealed record GiveBack(string ContractId, string UserId, long Credits)
{
    public long OfCycle { get; init; }

    public long OfExtra { get; init; }

    /// <summary>The cycle that must still be the user's; null: whatever it is.</summary>
    public CycleKey? Cycle { get; init; }

    /// <summary>Two of one user as one.</summary>
    public static GiveBack operator +(GiveBack one, GiveBack other) => one with
    {
        Credits = one.Credits + other.Credits,
        OfCycle = one.OfCycle + other.OfCycle,
        OfExtra = one.OfExtra + other.OfExtra,
        Cycle = one.Cycle ?? other.Cycle,
    };
}

/// <summary>One of a user's cycles: those after a restart count anew.</summary>
public readonly record struct CycleKey(int Restarts, int Cycle)
{
    public override string ToString() => $"cycle:{Restarts}.{Cycle}";
}

/// <summary>A user's renewals, booked (T3): the cycle and what was used of it as they must have been, and the cycle that runs now.</summary>
public sealed record CycleChange(string ContractId, string UserId, CycleKey From, long UsedInCycle, int To);

/// <summary>A user of a contract (C3), and what the user may use of it.</summary>
public sealed record Member(string UserId, string Name, bool Assigned, bool Disabled = false)
{
    public Allocation Allocation { get; init; } = Allocation.None;
}

/// <summary>A member as it now is, but for what was used, unless the cycles start anew.</summary>
/// <param name="From">The cycle that must have been running; null: it must not have been there.</param>
/// <param name="MustBeEnabled">Refused where the user is disabled.</param>
public sealed record MemberChange(string ContractId, string ClientId, Member Member, CycleKey? From, bool MustBeEnabled);

/// <summary>A change that was shown to a manager and waits to be confirmed (A7).</summary>
/// <param name="Token">Confirms it.</param>
/// <param name="Version">What it rests on.</param>
/// <param name="Answer">What its confirmation was answered; null: it is not confirmed.</param>
public sealed record Preview(string Token, string ClientId, string ContractId, AllocationChange Change, PlanVersion Version, Instant At, Window? Answer);

/// <summary>A user disabled or enabled for all contracts of the client (C3).</summary>
public sealed record UserSwitch(string ClientId, string UserId, bool Disabled);

/// <summary>A request remembered by its Idempotency-Key: what it asked, and the id of what it made (§3).</summary>
/// <param name="Key">1 to 200 characters, hashed.</param>
/// <param name="Made">What came of it: an id, or the answer.</param>
public sealed record KeyedRequest(string ClientId, string Key, string Fingerprint, string Made)
{
    /// <summary>When nobody can ask for it any more; null: it is kept for ever.</summary>
    [JsonIgnore]
    public Instant? ForgetAt { get; init; }
}

/// <summary>What a decision changes besides the state of the actor that decided: rows, a report's record, and the entries that explain them. All of it is committed, or nothing.</summary>
public sealed record Changes
{
    public static readonly Changes None = new();

    public ImmutableArray<LotChange> Lots { get; init; } = [];

    public ImmutableArray<CreditChange> Credits { get; init; } = [];

    /// <summary>Credits that must still cover their players as they do here: a report says that they do.</summary>
    public ImmutableArray<Credit> CoveredBy { get; init; } = [];

    public ImmutableArray<Use> Uses { get; init; } = [];

    public ImmutableArray<GiveBack> GivenBack { get; init; } = [];

    public ImmutableArray<MemberChange> Members { get; init; } = [];

    public ImmutableArray<CycleChange> Cycles { get; init; } = [];

    public ImmutableArray<Preview> Previews { get; init; } = [];

    public ImmutableArray<UserSwitch> Switches { get; init; } = [];

    public ImmutableArray<KeyedRequest> Requests { get; init; } = [];

    public ImmutableArray<Report> Reports { get; init; } = [];

    public ImmutableArray<PurchaseChange> Purchases { get; init; } = [];

    public ImmutableArray<ProjectChange> Projects { get; init; } = [];

    public ImmutableArray<MilestoneChange> Milestones { get; init; } = [];

    public ImmutableArray<Consumption> Consumptions { get; init; } = [];

    public ImmutableArray<Entry> Entries { get; init; } = [];

    public bool IsNothing => Lots.IsEmpty && Credits.IsEmpty && CoveredBy.IsEmpty && Uses.IsEmpty && GivenBack.IsEmpty && Members.IsEmpty && Cycles.IsEmpty && Previews.IsEmpty && Switches.IsEmpty
        && Requests.IsEmpty && Reports.IsEmpty && Purchases.IsEmpty && Projects.IsEmpty && Milestones.IsEmpty && Consumptions.IsEmpty && Entries.IsEmpty;
}
