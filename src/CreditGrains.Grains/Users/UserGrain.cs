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
    public async Task<Decision<Answered<User>>> Switch(bool disabled, string actor, RequestKey? request)
    {
        for (var isDoubted = false; ;)
        {
            if (await services.Store.Recall(request) is { } recalled)
            {
                if (recalled.Fingerprint != request!.Fingerprint) return Remembered.KeyReused;
                return new Answered<User>(Json.Read<User>(recalled.Made), Replayed: !isDoubted);
            }

            var user = await services.Store.User(key) ?? User.Enabled(key.ClientId, key.UserId);
            var now = Instant.Max(services.Clock.Now, user.AsOf);
            var (next, switched) = user.Switch(disabled, actor, now);
            var changes = switched + Remembered.Keep(key.ClientId, request, () => Json.Write(next), now);
            var result = changes.IsNothing ? new CommitResult.Done() : await services.Store.Commit(new(key.ClientId, changes));
            if (result is CommitResult.Done) return new Answered<User>(next, Replayed: false);
            isDoubted |= result is CommitResult.Unknown;
        }
    }
}
