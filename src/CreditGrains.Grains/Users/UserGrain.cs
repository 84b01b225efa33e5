using CreditGrains.Domain;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IUserGrain"/>
public sealed class UserGrain(IGrainContext context, GrainServices services) : IUserGrain, IGrainBase
{
    private readonly UserKey key = UserKey.Parse(context.GrainId.Key.ToString()!);

    public IGrainContext GrainContext => context;

    // The wish is a state, so that it may be decided again after any outcome.
    public async Task<Decision<User>> Switch(bool disabled, string actor)
    {
        while (true)
        {
            var user = await services.Store.User(key) ?? User.Enabled(key.ClientId, key.UserId);
            var (next, changes) = user.Switch(disabled, actor, Instant.Max(services.Clock.Now, user.AsOf));
            if (changes.IsNothing || await services.Store.Commit(new(key.ClientId, changes)) is CommitResult.Done) return next;
        }
    }
}
