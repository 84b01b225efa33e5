using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A committer of a contract or an account, which may not be there yet and which time changes by itself.</summary>
public abstract class DocumentCommitter<TState>(ActorServices services, string kind, string id) : Committer<TState?>(services) where TState : class, ICreditHolder<TState>
{
    protected string Id => id;

    protected Refusal Absent => Refusal.NotFound($"{kind} {id}");

    public Task WakeUp() => LookAhead();

    /// <summary>When time will next change it, all until now booked (T3).</summary>
    protected Task<Settled<Instant?>> LookAhead() => Run((state, _) => new Changed<TState?, Instant?>(state, Changes.None, state?.NextDue));

    /// <summary>The client to whom it belongs, as the store has it; null where it is not there.</summary>
    protected abstract Task<string?> ClientId();

    protected sealed override Instant AsOf(TState? state) => state?.AsOf ?? Instant.MinValue;

    protected sealed override Changed<TState?> RollForward(TState? state, Instant now)
    {
        if (state is null) return new(null, Changes.None);
        var (next, changes) = state.RollForward(now);
        return new(next, changes);
    }

    protected sealed override Guard Prove(long version) => new(kind, id, version);

    /// <summary>Decides a command until it is settled; refuses with <see cref="RefusalCode.NotFound"/> where there is nothing yet.</summary>
    protected Task<Decision<T>> DecideExisting<T>(Func<TState, Instant, Decision<Changed<TState, T>>> decide, Needs needs = Needs.State, params IReadOnlyCollection<string> about) =>
        Decide((state, now) => Existing(state, known => decide(known, now)), needs, about);

    protected Changed<TState?, Decision<T>> Existing<T>(TState? state, Func<TState, Decision<Changed<TState, T>>> decide) => Answer(state, state is null ? Absent : decide(state));

    /// <summary>Makes something under an id of its own, once (§3). What was made under that id or key before is found again, or refused where it was by another request.</summary>
    protected async Task<Decision<(T Made, bool Replayed)>> MakeOnce<T>(
        string what, string partId, RequestKey? key, Func<string, Task<T?>> find, Func<T, bool> isThis, Func<TState, Instant, Decision<Changed<TState, T>>> decide) where T : class
    {
        while (true)
        {
            if (key is not null && await Recall(key) is { } remembered)
                return remembered.Fingerprint == key.Fingerprint
                    ? (await find(remembered.Made) ?? throw new InvariantException($"a remembered request's {what} is there"), Replayed: true)
                    : Remembered.KeyReused;
            if (await find(partId) is { } made)
                return isThis(made) ? (made, Replayed: true) : new Refusal(RefusalCode.IdempotencyKeyReused, $"The {what} {partId} was added by another request.");

            var settled = await Run((state, now) => Existing(state, known => decide(known, now).Select(changed => key is null ? changed : changed with
            {
                Changes = changed.Changes with { Requests = [new(changed.State.ClientId, key.Key, key.Fingerprint, partId)] },
            })));
            if (settled.IsSettled) return settled.Answer!.Select(made => (made, Replayed: false));
        }
    }

    /// <summary>What is kept under a request's key.</summary>
    protected async Task<KeyedRequest?> Recall(RequestKey key) =>
        await ClientId() is { } clientId ? await Remembered.Recall(Services.Store, clientId, key) : null;
}
