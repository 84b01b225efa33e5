using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IServicesSettings"/>
public class ServicesSettingsActor(ActorServices services) : Committer<ServicesSettings>(services), IServicesSettings
{
    /// <summary>Where the settings are.</summary>
    public const string Kind = "settings", Id = "services-credits";

    public Task<Decision<ServicesSettings>> Set(ServicesSettings settings, string actor) => Decide((present, now) => Answer(present, present.Set(settings, actor, now)));

    protected override async Task<(ServicesSettings State, long Version)> Load() => (await Services.Store.Document(Kind, Id)).AsSettings();

    protected override Instant AsOf(ServicesSettings state) => Instant.MinValue;

    protected override DocumentWrite? Write(ServicesSettings before, ServicesSettings after, long version, Instant now) =>
        new(Kind, Id, version, Stored<ServicesSettings>.Write(after), Entry.AllClients, now, null);

    protected override Guard Prove(long version) => new(Kind, Id, version);
}
