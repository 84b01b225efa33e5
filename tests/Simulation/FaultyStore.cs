using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>The way to the store and back: slow, interrupted, or silent about what happened. What arrives together is written as one group, as the writers of real stores do.</summary>
internal sealed class FaultyStore(World world, MemoryStore store, Func<Weather> weather) : IStore
{
    private readonly List<(Commit Commit, Action<CommitResult> Tell)> group = [];
    private TimeSpan awayUntil;

    /// <summary>Sees each commit that is asked for, whatever becomes of it.</summary>
    public Action<Commit> Asked { get; set; } = _ => { };

    private IStore Store => store;

    private Dice Dice => world.Dice;

    private bool IsAway => world.Now < awayUntil;

    private TimeSpan Way => Dice.Between(TimeSpan.FromMicroseconds(50), TimeSpan.FromMilliseconds(1));

    private TimeSpan Long => Dice.Between(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(20));

    public void GoAway(TimeSpan duration) => awayUntil = world.Now + duration;

    public Task<Document?> Document(string kind, string id) => Load(() => Store.Document(kind, id));

    public Task<StoredContract?> Contract(string contractId) => Load(() => Store.Contract(contractId));

    public Task<ImmutableArray<Member>> Members(string contractId) => Load(() => Store.Members(contractId));

    public Task<StoredMember?> Member(AllocationKey key) => Load(() => Store.Member(key));

    public Task<User?> User(UserKey key) => Load(() => Store.User(key));

    public Task<ImmutableDictionary<string, User>> UserRows(string clientId, IReadOnlyCollection<string> userIds) => Load(() => Store.UserRows(clientId, userIds));

    public Task<Rows> Read(Wanted wanted) => Load(() => Store.Read(wanted));

    public Task<Lot?> Lot(string contractId, string lotId, long apart) => Load(() => Store.Lot(contractId, lotId, apart));

    public Task<ImmutableArray<Lot>> WholeLot(string contractId, string lotId) => Load(() => Store.WholeLot(contractId, lotId));

    public Task<Entry?> FirstPurchaseSet(string accountId, string purchaseId) => Load(() => Store.FirstPurchaseSet(accountId, purchaseId));

    public Task<Entry?> FirstLotSet(string contractId, string lotId) => Load(() => Store.FirstLotSet(contractId, lotId));

    public Task<Credit?> Credit(CreditId id) => Load(() => Store.Credit(id));

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => Load(() => Store.DueContracts(now, limit));

    public Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) => Load(() => Store.DueAllocations(now, limit));

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => Load(() => Store.DueAccounts(now, limit));

    public Task<ImmutableArray<string>> DueClients(Instant now, int limit) => Load(() => Store.DueClients(now, limit));

    public Task<ImmutableArray<Ending>> DueEndings(string clientId, Instant now, int limit) => Load(() => Store.DueEndings(clientId, now, limit));

    public Task<Instant?> NextEnd(string clientId) => Load(() => Store.NextEnd(clientId));

    public Task<StoredAccount?> Account(string accountId) => Load(() => Store.Account(accountId));

    public Task<Purchase?> Purchase(string accountId, string purchaseId) => Load(() => Store.Purchase(accountId, purchaseId));

    public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds) =>
        Load(() => Store.Services(accountId, milestoneIds, projectIds));

    public Task Forget(Instant until) => Load(() =>
    {
        store.Forget(until);
        return Task.FromResult(true);
    });

    public Task<CommitResult> Commit(Commit commit)
    {
        Asked(commit);
        return Send((land, _) => Gather(commit, land), () => store.Commit(commit));
    }

    public Task<CommitResult> CommitAlone(Wanted wanted, Func<Rows, Commit> decide)
    {
        Commit? decided = null;
        return Send(
            (land, failed) =>
            {
                try
                {
                    Decide();
                }
                catch (Exception e)
                {
                    failed(e);
                    return;
                }
                land(store.Commit(decided!));
            },
            () =>
            {
                if (decided is not null) store.Commit(decided);
            },
            Decide);

        void Decide()
        {
            decided = decide(store.Read(wanted));
            Asked(decided);
        }
    }

    // What is lost may not have arrived, have been decided and not have landed, land later, or have landed.
    private Task<CommitResult> Send(Action<Action<CommitResult>, Action<Exception>> carryOut, Action land, Action? decide = null)
    {
        var fate = weather();
        var answer = new TaskCompletionSource<CommitResult>();
        var lost = new CommitResult.Unknown(new TimeoutException("The connection is gone."));
        if (IsAway || Dice.Chance(fate.CommitFails)) Refuse(answer);
        else if (Dice.Chance(fate.CommitVanishes))
        {
            var arrives = Dice.Chance(0.5);
            world.After(Way, () =>
            {
                if (arrives) decide?.Invoke();
                Answer(answer, lost);
            });
        }
        else if (Dice.Chance(fate.CommitLate))
        {
            var (told, landed) = (Way, Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([0.01, 1, 20]))));
            var isDecided = decide is null;
            world.After(told, () =>
            {
                DecideOnce();
                Answer(answer, lost);
            });
            world.After(landed, () =>
            {
                DecideOnce();
                land();
            });

            void DecideOnce()
            {
                if (!isDecided) decide!();
                isDecided = true;
            }
        }
        else
        {
            var tells = !Dice.Chance(fate.CommitAnswerLost);
            world.After(
                Dice.Chance(fate.CommitSlow) ? Long : Way,
                () => carryOut(result => world.After(Way, () => Answer(answer, tells ? result : lost)), e => world.After(Way, () => answer.SetException(e))));
        }
        return answer.Task;
    }

    private void Gather(Commit commit, Action<CommitResult> land)
    {
        group.Add((commit, result =>
        {
            if (result is CommitResult.Conflict(var rows))
                world.Holds(rows.All(row => commit.Names(row)), "no commit fails with its neighbours", $"{string.Join(' ', rows)} are not of its rows");
            land(result);
        }));
        if (group.Count == 1) world.After(TimeSpan.FromMicroseconds(100), WriteGroup);
    }

    // Each by itself: whoever fails is left out.
    private void WriteGroup()
    {
        foreach (var (commit, land) in group.ToList())
        {
            land(store.Commit(commit));
        }
        group.Clear();
    }

    private Task<T> Load<T>(Func<Task<T>> read)
    {
        var answer = new TaskCompletionSource<T>();
        if (IsAway || Dice.Chance(weather().LoadFails)) Refuse(answer);
        else
        {
            world.After(Dice.Chance(weather().LoadSlow) ? Long : Way, () =>
            {
                var value = read().GetAwaiter().GetResult();
                world.After(Dice.Chance(weather().LoadSlow) ? Long : Way, () => answer.SetResult(value));
            });
        }
        return answer.Task;
    }

    // A lost outcome comes as an answer or as an exception.
    private void Answer(TaskCompletionSource<CommitResult> answer, CommitResult result)
    {
        if (result is CommitResult.Unknown(var cause) && Dice.Chance(0.3)) answer.SetException(new StoreUnavailableException("Nobody knows.", cause));
        else answer.SetResult(result);
    }

    private void Refuse<T>(TaskCompletionSource<T> answer) => world.After(Way, () => answer.SetException(new StoreUnavailableException("The store is away.")));
}
