using CreditGrains.Domain;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IServicesSettingsGrain"/>
public sealed class ServicesSettingsGrain(IGrainContext context, GrainServices services) : IServicesSettingsGrain, IGrainBase
{
    public const string Id = "services-credits";

    public IGrainContext GrainContext => context;

    // The wish is a state, so that it may be decided again after any outcome.
    public async Task<Decision<ServicesSettings>> Set(ServicesSettings settings, string actor, string? seen)
    {
        while (true)
        {
            var document = await services.Store.Document(DocumentKind.Settings, Id);
            var (present, version) = document.AsSettings();
            var now = Instant.Max(services.Clock.Now, document?.AsOf ?? Instant.MinValue);
            var decision = present.Set(settings, actor, now, seen);
            if (decision.Value is not { } changed) return decision.Refusal!;
            if (changed.Changes.IsNothing) return changed.Answer;
            var write = new DocumentChange(DocumentKind.Settings, Id, version + 1, version, Stored<ServicesSettings>.Write(changed.State), Entry.AllClients, now, null);
            if (await services.Store.Commit(new(Entry.AllClients, [write, .. changed.Changes])) is CommitResult.Done) return changed.Answer;
        }
    }
}
