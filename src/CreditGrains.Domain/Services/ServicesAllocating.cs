using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Allocates a milestone's cost from its account's purchases (S2).</summary>
/// <param name="Expected">The version that the caller has seen (If-Match); null: any.</param>
/// <param name="From">The purchases to take from, and what of each: in all what the milestone still needs; null: those that expire first.</param>
public sealed record AllocateCredits(string MilestoneId, long? Expected, string Actor, ImmutableArray<Holding>? From = null);

/// <summary>Allocates the costs of several milestones of a project, one after another (S2).</summary>
public sealed record AllocateMilestones(string ProjectId, ImmutableArray<string> MilestoneIds, string Actor);

/// <summary>What came of one milestone of several: what was allocated, or why nothing was.</summary>
public sealed record AllocatedOne(string MilestoneId, Allocated? Allocated, Refusal? Refusal);

/// <summary>Changes the cost of an allocated milestone, and what it holds (S3).</summary>
/// <param name="Quantity">0 or more services credits.</param>
/// <param name="Expected">The version that the caller has seen (If-Match); null: any.</param>
public sealed record AdjustCredits(string MilestoneId, decimal Quantity, long? Expected, string Actor);

/// <summary>The milestone afterwards, and the services credits that moved: a quantity for each purchase, negative where it was returned.</summary>
public sealed record Allocated(Milestone Milestone, string Currency, ImmutableArray<Holding> Purchases);

/// <summary>The services credits that a refused allocation would have taken, and those that were available, in its currency.</summary>
public sealed record ServicesAmounts(string Currency, decimal ToAllocate, decimal Available);

/// <summary>Allocates services credits to milestones and adjusts them (S2, S3, L2, L3). All or nothing.</summary>
public static class ServicesAllocating
{
    /// <summary>
    /// Allocates (S2). Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.PreconditionFailed"/>, <see cref="RefusalCode.InvalidField"/>
    /// or <see cref="RefusalCode.InsufficientServicesCredits"/>. A milestone that is wholly allocated stays as it is.
    /// </summary>
    /// <param name="named">The purchases that the command names, as the store has them; the account's own copies count. null: it names none.</param>
    public static Decision<Changed<Account, Allocated>> Decide(
        Account account, AllocateCredits allocate, Instant now, IReadOnlyCollection<Purchase>? named = null)
    {
        if (Find(account, allocate.MilestoneId, null, allocate.Expected, out var milestone, out var project) is { } refusal) return refusal;
        if (!milestone.WasAllocated && milestone.ServicesCredits == 0)
            return Refusal.Invalid("servicesCredits", "must be more than 0 before the milestone is allocated");
        var needed = milestone.ServicesCredits - milestone.Held;
        var chosen = allocate.From is { } from ? Choose(account, project, from, needed, named ?? [], now) : null;
        return chosen?.Refusal is { } refused
            ? refused
            : Bring(account, milestone, project, milestone.ServicesCredits, ConsumptionKind.Consumption, allocate.Actor, now, chosen?.Value);
    }

    /// <summary>
    /// Allocates several milestones of a project, one after another, each with an answer of its own; what is refused to one does not keep the others.
    /// Refuses all with <see cref="RefusalCode.NotFound"/> where the project is not the account's.
    /// </summary>
    public static Decision<Changed<Account, ImmutableArray<AllocatedOne>>> Decide(Account account, AllocateMilestones allocate, Instant now)
    {
        if (account.Own(allocate.ProjectId) is null) return Refusal.NotFound($"project {allocate.ProjectId}");
        var (changes, answers) = (Changes.None, ImmutableArray.CreateBuilder<AllocatedOne>(allocate.MilestoneIds.Length));
        foreach (var id in allocate.MilestoneIds)
        {
            Decision<Changed<Account, Allocated>> decision = account.Services.Milestones.GetValueOrDefault(id)?.ProjectId == allocate.ProjectId
                ? Decide(account, new AllocateCredits(id, null, allocate.Actor), now)
                : Refusal.NotFound($"milestone {id} of project {allocate.ProjectId}");
            if (decision.Value is { } allocated) (account, changes) = (allocated.State, changes + allocated.Changes);
            answers.Add(new(id, decision.Value?.Answer, decision.Refusal));
        }
        return new Changed<Account, ImmutableArray<AllocatedOne>>(account, changes, answers.MoveToImmutable());
    }

    /// <summary>
    /// Adjusts (S3). Refuses with <see cref="RefusalCode.InvalidField"/>, <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.PreconditionFailed"/>,
    /// <see cref="RefusalCode.NotAllocated"/> before the first allocation, <see cref="RefusalCode.AllocationRequired"/> where status or actual date forbid 0,
    /// or <see cref="RefusalCode.InsufficientServicesCredits"/>.
    /// </summary>
    public static Decision<Changed<Account, Allocated>> Decide(Account account, AdjustCredits adjust, Instant now)
    {
        if (ServicesCredits.Check("quantity", adjust.Quantity, orZero: true) is { } invalid) return invalid;
        if (Find(account, adjust.MilestoneId, adjust.Quantity, adjust.Expected, out var milestone, out var project) is { } refusal) return refusal;
        if (!milestone.WasAllocated)
            return new Refusal(RefusalCode.NotAllocated, "The milestone must be allocated first; until then set servicesCredits on the milestone itself.");
        if (adjust.Quantity == 0 && milestone.ServicesCredits > 0 && account.Services.Settings.Forbids(milestone) is { } forbidden) return forbidden;
        return Bring(account, milestone, project, adjust.Quantity, ConsumptionKind.Adjustment, adjust.Actor, now);
    }

    // An earlier version is accepted where the change has been made already, perhaps by this very request (RFC 9110, 13.1.1).
    private static Refusal? Find(
        Account account, string milestoneId, decimal? quantity, long? expected, out Milestone milestone, out Project project)
    {
        milestone = account.Services.Milestones.GetValueOrDefault(milestoneId)!;
        project = milestone is null ? null! : account.Own(milestone.ProjectId)!;
        if (milestone is null || project is null) return Refusal.NotFound($"milestone {milestoneId}");
        var wanted = quantity ?? milestone.ServicesCredits;
        var isDone = milestone.WasAllocated && milestone.Held == wanted && milestone.ServicesCredits == wanted;
        return expected is { } seen && seen != milestone.Version && !isDone ? Refusal.Changed("milestone") : null;
    }

    // Makes the milestone cost and hold exactly that quantity.
    private static Decision<Changed<Account, Allocated>> Bring(
        Account account, Milestone milestone, Project project, decimal quantity, ConsumptionKind kind, string actor, Instant now,
        IReadOnlyList<Share<Purchase, decimal>>? chosen = null)
    {
        var more = quantity - milestone.Held;
        var available = account.AvailableAt(now, project.Currency);
        if (more > available)
        {
            return new Refusal(
                RefusalCode.InsufficientServicesCredits,
                $"The milestone needs {more} more services credits in {project.Currency}; the account has {available}.",
                Services: new(project.Currency, more, available));
        }
        if (more == 0 && milestone.ServicesCredits == quantity)
            return new Changed<Account, Allocated>(account, Changes.None, new(milestone, project.Currency, []));

        // After this line it succeeds.
        var shares = chosen ?? (more > 0 ? Draw(account, project.Currency, more, now) : Return(account, milestone, -more));
        var moves = shares.SelectMany(share => more > 0 ? [Take(share.Of, share.Part)] : GiveBack(share.Of, share.Part)).ToList();
        var (booked, changes) = account.Book(moves, actor, Subjects.Milestone(milestone.MilestoneId), now);

        var signed = shares.Select(share => new Holding(share.Of.PurchaseId, more > 0 ? share.Part : -share.Part)).ToImmutableArray();
        var after = milestone with
        {
            ServicesCredits = quantity,
            WasAllocated = true,
            Holdings = Sum(milestone.Holdings, signed),
            Version = milestone.Version + 1,
        };
        Invariant.Holds(after.Held == quantity && after.Holdings.All(holding => holding.Quantity > 0), "a milestone holds exactly what it costs");
        var holding = (after.Held > 0 ? 1 : 0) - (milestone.Held > 0 ? 1 : 0);
        var held = holding == 0 ? project : project with { Holding = project.Holding + holding, Version = project.Version + 1 };
        return new Changed<Account, Allocated>(
            booked.With(after).With(held),
            [
                new MilestoneChange(after, milestone.Version),
                .. holding == 0 ? Array.Empty<Change>() : [new ProjectChange(held, project.Version)],
                .. milestone.ServicesCredits == quantity ? Array.Empty<Change>() : [account.Tell(milestone, after, actor, Causes.Adjustment, now)],
                .. changes,
            ],
            new(after, project.Currency, signed));

        Move Take(Purchase purchase, decimal part) =>
            new(kind, purchase, purchase with { Free = purchase.Free - part, Allocated = purchase.Allocated + part }, part, milestone.MilestoneId, now);

        // L3: services credits that return to an expired purchase are recorded as returned and as expired.
        IEnumerable<Move> GiveBack(Purchase purchase, decimal part)
        {
            var back = purchase with { Allocated = purchase.Allocated - part, Free = purchase.Free + part };
            yield return new(kind, purchase, back, -part, milestone.MilestoneId, now);
            var expired = back with { Free = back.Free - part, Expired = back.Expired + part };
            if (back.IsOverAt(now)) yield return new(ConsumptionKind.Expiry, back, expired, part, null, now);
        }
    }

    // Purchases chosen by hand: of the project's currency, each once, each with enough, in all what is needed.
    private static Decision<IReadOnlyList<Share<Purchase, decimal>>> Choose(
        Account account, Project project, ImmutableArray<Holding> from, decimal needed, IReadOnlyCollection<Purchase> named, Instant now)
    {
        var shares = new List<Share<Purchase, decimal>>();
        for (var i = 0; i < from.Length; i++)
        {
            var (id, quantity) = (from[i].PurchaseId, from[i].Quantity);
            var purchase = account.Purchases.Concat(named).FirstOrDefault(known => known.PurchaseId == id);
            if (purchase is null) return Refusal.NotFound($"purchase {id} of account {account.Terms.AccountId}");
            if (purchase.Currency != project.Currency) return Refusal.Invalid($"from[{i}].purchaseId", $"must be a purchase in {project.Currency}");
            if (shares.Any(share => share.Of.PurchaseId == id)) return Refusal.Invalid($"from[{i}].purchaseId", "must be named once");
            if (ServicesCredits.Check($"from[{i}].quantity", quantity) is { } invalid) return invalid;
            shares.Add(new(purchase, quantity));
        }
        if (needed == 0) return shares;
        if (shares.Sum(share => share.Part) != needed) return Refusal.Invalid("from", $"must add up to {needed}, what the milestone needs");
        return shares.Where(share => share.Part > share.Of.AvailableAt(now)).Select(share => new Refusal(
            RefusalCode.InsufficientServicesCredits,
            $"The purchase {share.Of.PurchaseId} has {share.Of.AvailableAt(now)} services credits available, not {share.Part}.",
            Services: new(project.Currency, share.Part, share.Of.AvailableAt(now)))).FirstOrDefault() is { } lacking ? lacking : shares;
    }

    private static IReadOnlyList<Share<Purchase, decimal>> Draw(Account account, string currency, decimal quantity, Instant now) => account.Purchases
        .Where(purchase => purchase.Currency == currency).InDrawOrder()
        .Spread(quantity, purchase => purchase.AvailableAt(now));

    // To each purchase at most what this milestone still holds from it.
    private static IReadOnlyList<Share<Purchase, decimal>> Return(Account account, Milestone milestone, decimal quantity)
    {
        var held = milestone.Holdings.ToDictionary(holding => holding.PurchaseId, holding => holding.Quantity);
        return account.Purchases
            .Where(purchase => held.ContainsKey(purchase.PurchaseId))
            .InReturnOrder()
            .Spread(quantity, purchase => held[purchase.PurchaseId]);
    }

    private static ImmutableArray<Holding> Sum(ImmutableArray<Holding> before, ImmutableArray<Holding> moved) => [.. before.Concat(moved)
        .GroupBy(holding => holding.PurchaseId)
        .Select(group => new Holding(group.Key, group.Sum(holding => holding.Quantity)))
        .Where(holding => holding.Quantity != 0)
        .OrderBy(holding => holding.PurchaseId, StringComparer.Ordinal)];
}
