using NodaTime;

namespace CreditGrains.Domain.Tests;

/// <summary>A contract with plenty of credits and its users, as its grain and the store together would have them: a use books the cycles that passed, a read does not.</summary>
internal sealed class Allotment(Terms terms, Instant begin)
{
    private readonly Rows rows = new();
    private int reports;

    public Contract Contract { get; private set; } = new(
        terms, 1, [new("plenty", LotSource.Purchase, "P", 999_999, Runs.UpTo(999_999), begin, begin, null, null)], begin) { HasAllMembers = true };

    /// <summary>What the contract has from now on.</summary>
    public void Have(params Lot[] lots) => Contract = Contract with { Lots = [.. lots] };

    public Instant Now { get; private set; } = begin;

    public IReadOnlyList<Entry> Entries => rows.Entries;

    public Window Window => Window.Of(Contract, Now);

    public void MoveTo(Instant now) => Now = now;

    public AllocationRow Row(string user) => AllocationRow.Of(Contract.Members[user], terms, Now);

    public void Add(params string[] users) => Take(Membership.Replace(Contract, [.. users.Select(user => new UserName(user, user))], "ops", Now));

    public Decision<Window> Change(AllocationChange change) => Take(Allocating.Decide(Contract, change, "mia", "request", Now));

    public Decision<Window> Set(string user, SettingsChange settings, long? extra = null) => Change(new(null, null, false, [new(user, settings, extra)]));

    public Decision<AllocationRow> Grant(string user, long extra) => Take(Allocating.Decide(Contract, new GrantExtra(user, extra, "because", "mia"), Now));

    public void Disable(string user, bool disabled)
    {
        var member = Contract.Members[user];
        var (next, changes) = new User("acme", user, member.Disabled, Now, member.UserVersion).Switch(disabled, "ops", Now);
        rows.Apply(changes, Now);
        Contract = Contract.With(member with { Disabled = next.Disabled, UserVersion = next.Version });
    }

    /// <summary>A report of that many players who have no credit yet.</summary>
    public Decision<Report> Use(string user, int credits)
    {
        var id = $"R{++reports}";
        var report = Given.Report([.. Enumerable.Range(1, credits).Select(i => $"{id}.{i}")]) with { Report = new("acme", id), UserId = user };
        return Take(Charging.Decide(Contract, Given.Facts(), report, Now));
    }

    /// <summary>Books the cycles that have begun, as a wake-up does.</summary>
    public void Book(string user)
    {
        var member = Contract.Members[user];
        var (next, changes) = new Allowance(terms, Contract.Plan.Enabled, member).RollForward(Now);
        if (next.Allocation == member.Allocation) return;
        var row = MemberChange.Of(terms, member, next, Now);
        rows.Apply([row, .. changes], Now);
        Contract = Contract.With(row.Member);
    }

    private TAnswer Take<TAnswer>(Changed<Contract, TAnswer> changed)
    {
        Contract = changed.State;
        rows.Apply(changed.Changes.With((LotChange _) => null), Now);
        return changed.Answer;
    }

    private Decision<TAnswer> Take<TAnswer>(Decision<Changed<Contract, TAnswer>> decision) => decision.Refusal is { } refusal ? refusal : Take(decision.Value!);
}
