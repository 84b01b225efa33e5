using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>An account: its terms and purchases, and what its projects' milestones hold of them. It alone decides on all of that (S1 to S6); its key is the account's id.</summary>
public interface IAccountGrain : IGrainWithStringKey
{
    Task<Decision<AccountTerms>> Set(SetAccount set);

    /// <summary>Adds a purchase. The same id or key and the same request again: the first answer; another request under it is refused.</summary>
    Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key);

    Task<Decision<Project>> SetProject(SetProject set);

    Task<Decision<Milestone>> SetMilestone(SetMilestone set);

    /// <param name="dryRun">What would happen; nothing changes.</param>
    Task<Decision<Allocated>> Allocate(AllocateCredits allocate, bool dryRun);

    /// <param name="dryRun">What would happen; nothing changes.</param>
    Task<Decision<Allocated>> Adjust(AdjustCredits adjust, bool dryRun);

    /// <summary>Books what fell due (T3), and sets the reminder of what falls due next.</summary>
    Task WakeUp();
}

/// <summary>A purchase as it was when it was bought; <paramref name="Replayed"/>: that was before.</summary>
public sealed record BoughtCredits(Purchase Purchase, bool Replayed);

/// <summary>An account's document: its terms, and how many consumption records it has written.</summary>
public sealed record AccountDocument(AccountTerms Terms, long Records);

/// <summary>The settings of all accounts (S5); there is one, under one key.</summary>
public interface IServicesSettingsGrain : IGrainWithStringKey
{
    Task<Decision<ServicesSettings>> Set(ServicesSettings settings, string actor);
}
