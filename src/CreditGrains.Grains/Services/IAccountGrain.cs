using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>An account: its terms and purchases, and what its projects' milestones hold of them. It alone decides on all of that (S1 to S6); its key is the account's id.</summary>
public interface IAccountGrain : IGrainWithStringKey
{
    Task<Decision<Answered<AccountTerms>>> Set(SetAccount set, RequestKey? key = null);

    /// <summary>Adds a purchase. The same id or key and the same request again: the first answer; another request under it is refused.</summary>
    Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key);

    /// <summary>Changes a purchase (L6), and answers it as it then is. The same key and request again: the first answer.</summary>
    Task<Decision<Answered<CorrectedPurchase>>> ChangePurchase(ChangePurchase change, RequestKey? key = null);

    /// <summary>Ends a purchase now (L6), and answers it as it then is. The same key and request again: the first answer.</summary>
    Task<Decision<Answered<CorrectedPurchase>>> ExpirePurchase(ExpirePurchase expire, RequestKey? key = null);

    Task<Decision<Answered<Project>>> SetProject(SetProject set, RequestKey? key = null);

    Task<Decision<Answered<Milestone>>> SetMilestone(SetMilestone set, RequestKey? key = null);

    /// <param name="dryRun">What would happen; nothing changes.</param>
    Task<Decision<Answered<Allocated>>> Allocate(AllocateCredits allocate, bool dryRun, RequestKey? key = null);

    /// <summary>Allocates several milestones of a project in one commit, each with an answer of its own.</summary>
    /// <param name="dryRun">What would happen; nothing changes.</param>
    Task<Decision<Answered<ImmutableArray<AllocatedOne>>>> AllocateMilestones(AllocateMilestones allocate, bool dryRun, RequestKey? key = null);

    /// <param name="dryRun">What would happen; nothing changes.</param>
    Task<Decision<Answered<Allocated>>> Adjust(AdjustCredits adjust, bool dryRun, RequestKey? key = null);

    /// <summary>Books what fell due (T3), and sets the reminder of what falls due next.</summary>
    Task WakeUp();
}

/// <summary>A purchase as it was when it was bought; <paramref name="Replayed"/>: that was before.</summary>
public sealed record BoughtCredits(Purchase Purchase, bool Replayed);

/// <summary>A purchase as a correction has left it, at the instant of that.</summary>
public sealed record CorrectedPurchase(Purchase Purchase, Instant At);

/// <summary>An account's document: its terms, and how many consumption records it has written.</summary>
public sealed record AccountDocument(AccountTerms Terms, long Records);

/// <summary>The settings of all accounts (S5); there is one, under one key.</summary>
public interface IServicesSettingsGrain : IGrainWithStringKey
{
    /// <param name="seen">The settings that the caller has seen (If-Match), as <see cref="Seen.Of"/>; null: any.</param>
    Task<Decision<ServicesSettings>> Set(ServicesSettings settings, string actor, string? seen = null);
}
