using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>A contract's rules for the allocation of its users (A8, A9).</summary>
/// <param name="Enabled">The switch; off: the pool alone limits users.</param>
/// <param name="Defaults">The settings of users who are added later; null: none.</param>
/// <param name="DefaultStart">The start date that goes with the defaults when they are applied to everyone.</param>
/// <param name="Version">Rises with every change of the switch, the defaults, users, their settings and extra credits.</param>
/// <param name="LastChange">The last of these changes; null: there was none.</param>
public sealed record Plan(bool Enabled, Settings? Defaults, LocalDate? DefaultStart, long Version, PlanChange? LastChange)
{
    /// <summary>The plan of a new contract.</summary>
    public static readonly Plan Initial = new(false, null, null, 0, null);

    internal Plan Changed(string what, string actor, Instant now) => this with { Version = Version + 1, LastChange = new(what, actor, now) };
}

/// <summary>A change of a plan in a few words, e.g. "settings of anna".</summary>
public sealed record PlanChange(string What, string Actor, Instant At);

/// <summary>Everything that a preview rests on (A7): as long as it is equal, nothing but use has happened since.</summary>
/// <param name="Terms">The revision of the contract's terms.</param>
/// <param name="Plan">The plan's version.</param>
/// <param name="Users">A hash of the users' names and of who is disabled: other contracts of the client may change them.</param>
/// <param name="Today">The local date.</param>
public sealed record PlanVersion(long Terms, long Plan, string Users, LocalDate Today)
{
    // Enough of the hash to tell lists of users apart.
    private const int HashDigits = 12;

    /// <summary>The version of a contract; it must know all its members.</summary>
    public static PlanVersion Of(Contract contract, Instant now)
    {
        var users = contract.AllMembers.Values.Select(member => $"{member.UserId} {member.Disabled} {member.Name}");
        return new(
            contract.Revision,
            contract.Plan.Version,
            Fingerprint.Of(string.Join('\n', users))[..HashDigits],
            Calendar.DateAt(now, contract.Terms.Zone));
    }

    public override string ToString() => $"{Terms}.{Plan}.{Users}.{LocalDatePattern.Iso.Format(Today)}";

    /// <summary>The changes from <paramref name="seen"/> to this version, in words.</summary>
    internal string Since(PlanVersion seen, Plan plan)
    {
        var parts = new List<string>();
        if (Plan != seen.Plan && plan.LastChange is { } last) parts.Add($"{last.What} by {last.Actor} at {InstantPattern.ExtendedIso.Format(last.At)}");
        if (Terms != seen.Terms) parts.Add("the contract's terms");
        if (Users != seen.Users) parts.Add("users were renamed, disabled or enabled");
        if (Today != seen.Today) parts.Add($"the date, which is now {Today:R}");
        return string.Join("; ", parts);
    }
}

/// <summary>A change that was shown to a manager and waits for confirmation (A7).</summary>
/// <param name="Token">Confirms it.</param>
/// <param name="Version">What it rests on.</param>
/// <param name="Answer">The answer to its confirmation; null: it is not confirmed.</param>
public sealed record Preview(string Token, string ClientId, string ContractId, AllocationChange Change, PlanVersion Version, Instant At, Window? Answer);
