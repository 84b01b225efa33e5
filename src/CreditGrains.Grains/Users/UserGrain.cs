using CreditGrains.Domain;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IUserGrain"/>
public sealed class UserGrain(IGrainContext context, GrainServices services) : IUserGrain, IGrainBase
{
    private readonly UserKey key = UserKey.Parse(context.GrainId.Key.ToString()!);

    public IGrainContext GrainContext => context;

    public Task<Decision<Answered<User>>> Switch(bool disabled, string actor, RequestKey? request) =>
        Change(request, (user, now) => user.Switch(disabled, actor, now));

    public Task<Decision<Answered<User>>> Set(string name, bool disabled, string actor, long? seen)
    {
        var isFirst = true;
        return Change(null, (user, now) =>
        {
            // Once it was tried, what is there may be its own.
            if (seen is not null && seen != user.Version && isFirst) return Refusal.Changed("user");
            isFirst = false;
            return user.Set(name, disabled, actor, now);
        });
    }

    // The wish is a state, so that it may be decided again after any outcome.
    private async Task<Decision<Answered<User>>> Change(RequestKey? request, Func<User, Instant, Decision<Changed<User>>> decide)
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
            var decision = decide(user, now);
            if (decision.Refusal is { } refusal) return refusal;
            var (next, changed) = decision.Value!;
            var changes = changed + Remembered.Keep(key.ClientId, request, () => Json.Write(next), now);
            var result = changes.IsNothing ? new CommitResult.Done() : await services.Store.Commit(new(key.ClientId, changes));
            if (result is CommitResult.Done) return new Answered<User>(next, Replayed: false);
            isDoubted |= result is CommitResult.Unknown;
        }
    }
}
