using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>The way to the store and back: slow, interrupted, or silent about what happened.</summary>
internal sealed class FaultyStore(World world, MemoryStore store, Func<Weather> weather) : IStore
{
    private TimeSpan awayUntil;

    private Dice Dice => world.Dice;

    public void GoAway(TimeSpan duration) => awayUntil = world.Now + duration;

    public Task<Document?> Document(string kind, string id) => Load(() => store.Document(kind, id));

    public Task<StoredContract?> Contract(string contractId) => Load(() => store.Contract(contractId));

    public Task<ImmutableArray<Member>> Members(string contractId) => Load(() => store.Members(contractId));

    public Task<Lot?> Lot(string contractId, string lotId, long apart) => Load(() => store.Lot(contractId, lotId, apart));

    public Task<Entry?> FirstExpirySet(string contractId, string lotId) => Load(() => store.FirstExpirySet(contractId, lotId));

    public Task<StoredMember?> Member(AllocationKey key) => Load(() => store.StoredMember(key));

    public Task<Credit?> CurrentCredit(PlayerKey key) => Load(() => store.CurrentCredit(key));

    public Task<Credit?> Credit(CreditId id) => Load(() => store.Credit(id));

    public Task<Report?> Report(ReportKey key) => Load(() => store.Report(key));

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => Load(() => store.DueContracts(now, limit));

    public Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) => Load(() => store.DueAllocations(now, limit));

    public Task<ImmutableArray<Credit>> DueCredits(Instant now, int limit) => Load(() => store.DueCredits(now, limit));

    public Task<StoredAccount?> Account(string accountId) => Load(() => store.Account(accountId));

    public Task<Purchase?> Purchase(string accountId, string purchaseId) => Load(() => store.Purchase(accountId, purchaseId));

    public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds) => Load(() => store.Services(accountId, milestoneIds, projectIds));

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => Load(() => store.DueAccounts(now, limit));

    public Task<CommitResult> Commit(Commit commit)
    {
        var fate = weather();
        var answer = new TaskCompletionSource<CommitResult>();
        var lost = new CommitResult.Unknown(new TimeoutException("The connection is gone."));
        if (IsAway || Dice.Chance(fate.CommitFails)) Refuse(answer);
        else if (Dice.Chance(fate.CommitVanishes)) world.After(Way, () => Answer(answer, lost));
        else if (Dice.Chance(fate.CommitLate))
        {
            world.After(Way, () => Answer(answer, lost));
            world.After(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([1, 20]))), () => store.Commit(commit));
        }
        else
        {
            var tells = !Dice.Chance(fate.CommitAnswerLost);
            world.After(Dice.Chance(fate.CommitSlow) ? Long : Way, () =>
            {
                var result = store.Commit(commit);
                world.After(Way, () => Answer(answer, tells ? result : lost));
            });
        }
        return answer.Task;
    }

    private bool IsAway => world.Now < awayUntil;

    private TimeSpan Way => Dice.Between(TimeSpan.FromMicroseconds(50), TimeSpan.FromMilliseconds(1));

    private TimeSpan Long => Dice.Between(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(20));

    private Task<T> Load<T>(Func<T> read)
    {
        var answer = new TaskCompletionSource<T>();
        if (IsAway || Dice.Chance(weather().LoadFails)) Refuse(answer);
        else
        {
            world.After(Dice.Chance(weather().LoadSlow) ? Long : Way, () =>
            {
                var value = read();
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
