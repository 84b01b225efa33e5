using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A contract's rules for its users' allocation (A8, A9).</summary>
/// <param name="Enabled">The switch: off, nothing restricts users but the pool.</param>
/// <param name="Defaults">What users get who are added later; null: nothing.</param>
/// <param name="DefaultStart">The start date that goes with them when they are applied to everyone.</param>
/// <param name="Version">Rises with every change of the switch, the defaults, users, their settings and extra credits.</param>
/// <param name="LastChange">What the last of these changes was, and whose.</param>
public sealed record Plan(bool Enabled, Settings? Defaults, LocalDate? DefaultStart, long Version, PlanChange? LastChange)
{
    /// <summary>Before anything was decided.</summary>
    public static readonly Plan Initial = new(false, null, null, 0, null);

    internal Plan Changed(string what, string actor, Instant now) => this with { Version = Version + 1, LastChange = new(what, actor, now) };
}

/// <summary>A change of a plan, in a word.</summary>
public sealed record PlanChange(string What, string Actor, Instant At);

/// <summary>All that a preview rests on (A7): while it is the same, nothing but use has happened since.</summary>
/// <param name="Terms">The revision of the contract's terms.</param>
/// <param name="Plan">The plan's version.</param>
/// <param name="Disabled">The disabled users, hashed.</param>
/// <param name="Today">The local date.</param>
public sealed record PlanVersion(long Terms, long Plan, string Disabled, LocalDate Today)
{
    /// <summary>The version of a contract whose members are known.</summary>
    public static PlanVersion Of(Contract contract, Instant now) => new(
        contract.Revision, contract.Plan.Version,
        Fingerprint.Of(string.Join(' ', contract.AllMembers.Values.Where(member => member.Disabled).Select(member => member.UserId)))[..12],
        Calendar.DateAt(now, contract.Terms.Zone));

    public override string ToString() => $"{Terms}.{Plan}.{Disabled}.{NodaTime.Text.LocalDatePattern.Iso.Format(Today)}";

    /// <summary>What has changed from <paramref name="seen"/> to this, in words.</summary>
    internal string Since(PlanVersion seen, Plan plan)
    {
        var parts = new List<string>();
        if (Plan != seen.Plan && plan.LastChange is { } last) parts.Add($"{last.What} by {last.Actor} at {NodaTime.Text.InstantPattern.ExtendedIso.Format(last.At)}");
        if (Terms != seen.Terms) parts.Add("the contract's terms");
        if (Disabled != seen.Disabled) parts.Add("users were disabled or enabled");
        if (Today != seen.Today) parts.Add($"the date: it is {Today:R} now");
        return string.Join("; ", parts);
    }
}

/// <summary>A change that was shown to a manager and waits to be confirmed (A7).</summary>
/// <param name="Token">Confirms it.</param>
/// <param name="Version">What it rests on.</param>
/// <param name="Answer">The answer to its confirmation; null: it is not confirmed.</param>
public sealed record Preview(string Token, string ClientId, string ContractId, AllocationChange Change, PlanVersion Version, Instant At, Window? Answer);
