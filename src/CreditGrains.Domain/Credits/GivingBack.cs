using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Who gives credits back, why and when.</summary>
/// <param name="At">When it takes effect.</param>
/// <param name="Now">When it is booked.</param>
public sealed record Act(string Actor, string? Reason, string Cause, Instant At, Instant Now);

/// <summary>An allocated credit that is given back.</summary>
/// <param name="Lot">Its lot; where the contract has it open, the contract's own copy counts.</param>
/// <param name="Owner">The row of its player, who is freed; null: the end of a hold has uncovered the player already.</param>
internal sealed record Leaving(Credit Credit, Lot Lot, Player? Owner);

/// <summary>
/// Gives allocated credits back: by hand (P5), by a void (R7), at the end of a hold, or where a capture leaves them out (R8). Each returns to its lot,
/// and its use to its user; what returns to an expired lot is returned and expired (L3).
/// </summary>
internal static class GivingBack
{
    /// <summary>The answer: the credits as they then are, in the same order.</summary>
    /// <param name="endings">Of those that are not held.</param>
    /// <param name="others">Rows of other credits that change with them, before and after.</param>
    public static Changed<Contract, ImmutableArray<Credit>> Decide(
        Contract contract, IReadOnlyCollection<Leaving> leaving, Endings endings, Act act, params IEnumerable<(Credit? Before, Credit? After)> others)
    {
        var homes = leaving.GroupBy(one => one.Credit.Id.LotId)
            .ToDictionary(lot => lot.Key, lot => Home.Of(contract, lot.First().Lot, lot.Select(one => one.Credit.Id.Ordinal), act));
        var uses = Uses.Of(contract, leaving.Select(one => one.Credit), act);
        var pairs = leaving.Select(one => (one.Owner, Before: one.Credit, Home: homes[one.Credit.Id.LotId]))
            .Select(one => (one.Owner, one.Before, one.Home, After: one.Home.Take(one.Before)))
            .ToList();
        var open = homes.Values.Where(home => !home.IsOver).ToList();
        return new(
            contract.With([.. open.Select(home => home.After)]).With(uses.Rows.Select(row => row.Member)).Release(leaving.Select(one => one.Credit)),
            [
                .. open.Select(home => contract.Change(home.After)),
                .. uses.Rows,
                .. pairs.Where(one => one.Owner?.Credit == one.Before.Id).Select(one => one.Owner!.IsFreed(act.At)),
                .. pairs.SelectMany(one => one.Home.Rows(one.Before, one.After)),
                .. endings.Move([.. pairs.Select(one => (one.Before, one.Home.IsOver ? one.After : null)), .. others], act.At),
                .. uses.Renewals,
                .. pairs.SelectMany(one => one.Home.Entries(one.Before, one.After, uses)),
                .. open.SelectMany(home => home.Moved()),
            ],
            [.. pairs.Select(one => one.After)]);
    }

    /// <summary>What an act did to one credit.</summary>
    public static Entry Tell(Contract contract, EntryKind kind, Lot lot, Credit before, Credit after, Act act) =>
        contract.Tell(kind, lot, act.At, act.Now, act.Actor, act.Cause) with
        {
            Subject = Subjects.Credit(before.Id),
            Reason = act.Reason,
            Quantity = 1,
            Before = Json.Write(Shown(before, act.At)),
            After = Json.Write(Shown(after, act.At)),
        };

    private static object Shown(Credit credit, Instant at) =>
        new { Status = credit.StatusAt(at), credit.UsedBy, credit.PlayerId, credit.PlayerName, ExpiresAt = credit.CoversUntil };

    // A lot before and after credits have returned to it; one that is over takes none.
    private sealed record Home(Contract Contract, Lot Before, Lot After, bool IsOver, Act Act)
    {
        public static Home Of(Contract contract, Lot known, IEnumerable<long> ordinals, Act act)
        {
            // A lot that is neither open nor expired is used up; since then the contract's end may have moved its expiry.
            var open = contract.OpenLot(known.LotId);
            var lot = open ?? known;
            var expiresAt = open is null ? contract.Terms.CutToEnd(lot.AskedExpiry) : lot.ExpiresAt;
            if (lot.Source == LotSource.Minted || lot.ExpiryBooked || expiresAt <= act.At) return new(contract, lot, lot, IsOver: true, act);
            var free = ordinals.Aggregate(lot.Free, (free, one) => free.With(one));
            return new(contract, lot, lot with { Free = free, ExpiresAt = expiresAt }, IsOver: false, act);
        }

        public Credit Take(Credit credit) => IsOver
            ? credit.Freed() with { ExpiresAt = Act.At, IsLapsed = true }
            : Credit.Untouched(Contract.Terms, credit.Id, After);

        // A row's player and report never change: it is deleted, and inserted again where the credit does not lie in its lot.
        public IEnumerable<CreditChange> Rows(Credit before, Credit after)
        {
            yield return new(before, before.Version) { IsGone = true };
            if (IsOver) yield return new(after, 0);
        }

        public IEnumerable<Entry> Entries(Credit before, Credit after, Uses uses)
        {
            yield return uses.Returned(Tell(Contract, EntryKind.CreditsReturned, After, before, after, Act), before);
            if (IsOver) yield return Tell(Contract, EntryKind.LotExpired, After, before, after, Act);
        }

        public IEnumerable<Entry> Moved()
        {
            if (Before.Terms == After.Terms) yield break;
            yield return Contract.TellSet(Before, After, Act with { Reason = null });
        }
    }
}

/// <summary>The uses of credits, given back to their users (P5): totalUsed falls, extra credits return, and usedInCycle falls while that cycle runs.</summary>
/// <param name="Rows">The users' rows as they now are.</param>
/// <param name="Renewals">The entries of their renewals that were due.</param>
internal sealed record Uses(ImmutableArray<MemberChange> Rows, Changes Renewals)
{
    public static readonly Uses None = new([], Changes.None);

    public static Uses Of(Contract contract, IEnumerable<Credit> credits, Act act)
    {
        var users = credits.Where(credit => credit.UsedBy is not null).GroupBy(credit => credit.UsedBy!).Select(used =>
        {
            var member = contract.Members.GetValueOrDefault(used.Key) ?? throw new InvariantException("whoever has used a credit is a user of its contract");
            var (rolled, renewals) = new Allowance(contract.Terms, IsRestricted: false, member).RollForward(act.At, act.Now);
            var given = rolled with { Allocation = used.Aggregate(rolled.Allocation, (allocation, credit) => allocation.GivenBack(credit.UsedOf)) };
            return (Row: contract.Change(member, given), Renewals: renewals);
        }).ToList();
        return new([.. users.Select(user => user.Row)], users.Aggregate(Changes.None, (all, user) => all + user.Renewals));
    }

    /// <summary>
    /// The entry of a return with its user, its report and the right by which the use came back; null: that cycle is over, and only the total falls.
    /// </summary>
    public Entry Returned(Entry entry, Credit credit)
    {
        var cycle = Rows.FirstOrDefault(row => row.Member.UserId == credit.UsedBy)?.Member.Allocation.CycleKey;
        return entry with
        {
            UserId = credit.UsedBy,
            ReportId = credit.ReportId,
            UsedOf = credit.UsedOf == Allocation.Extra || credit.UsedOf == $"{cycle}" ? credit.UsedOf : null,
        };
    }
}
