using System.Collections.Immutable;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain.Tests;

/// <summary>A contract with plenty of credits and its users, as the actors and the store together would have them: a use books the cycles that passed, a read does not.</summary>
internal sealed class Allotment(Terms terms, Instant begin)
{
    private readonly List<Entry> entries = [];
    private int reports;

    public Contract Contract { get; private set; } = new(terms, 1, [new("plenty", LotSource.Purchase, "P", 999_999, Runs.UpTo(999_999), begin, begin, null, null)], begin, ImmutableSortedDictionary<string, Member>.Empty);

    public Instant Now { get; private set; } = begin;

    public IReadOnlyList<Entry> Entries => entries;

    public Window Window => Window.Of(Contract, Now);

    public void MoveTo(Instant now) => Now = now;

    public AllocationRow Row(string user) => AllocationRow.Of(Contract.Members![user], terms, Now);

    public void Add(params string[] users) => Take(Membership.Replace(Contract, [.. users.Select(user => new UserName(user, user))], "ops", Now));

    public Decision<Window> Change(AllocationChange change) => Take(Allocating.Decide(Contract, change, "mia", "request", Now));

    public Decision<Window> Set(string user, SettingsChange settings, long? extra = null) => Change(new(null, null, false, [new(user, settings, extra)]));

    public Decision<AllocationRow> Grant(string user, long extra) => Take(Allocating.Decide(Contract, new GrantExtra(user, extra, "because", "mia"), Now));

    public void Disable(string user, bool disabled) => Member(user, Contract.Members![user] with { Disabled = disabled });

    /// <summary>A report of that many players who have no credit yet.</summary>
    public Decision<Report> Use(string user, int credits)
    {
        Book(user);
        var hold = new Allowance(terms, Contract.Plan.Enabled, Contract.Members![user]).Decide(credits, [], Now);
        if (hold.Refusal is { } refusal) return refusal;
        var id = $"R{++reports}";
        var charge = new ChargeCredits(new("acme", id), user, "key", [.. Enumerable.Range(1, credits).Select(i => new PlayerOnReport($"{id}.{i}", null, null, Claimed: true))], hold.Value!);
        Invariant.Holds(!Charging.IsOutdated(Contract, charge, Now), "a promise is good at once");
        return Take(Charging.Decide(Contract, charge, Now));
    }

    /// <summary>Books the cycles that have begun, as a wake-up does.</summary>
    public void Book(string user)
    {
        var (next, changes) = Contract.Members![user].Allocation.RollForward(terms, user, Now);
        Member(user, Contract.Members![user] with { Allocation = next });
        entries.AddRange(changes.Entries);
    }

    private void Member(string user, Member member) => Contract = Contract with { Members = Contract.Members!.SetItem(user, member) };

    private TAnswer Take<TAnswer>(Changed<Contract, TAnswer> changed)
    {
        Contract = changed.State;
        entries.AddRange(changed.Changes.Entries);
        return changed.Answer;
    }

    private Decision<TAnswer> Take<TAnswer>(Decision<Changed<Contract, TAnswer>> decision) => decision.Refusal is { } refusal ? refusal : Take(decision.Value!);
}
