using System.Diagnostics;
using CreditGrains.Domain;
using CreditGrains.Grains.Hosting;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>
/// A grain that decides alone on its state: a document, and rows that only it changes. Commands gather while a commit is out; then all of them are
/// decided, one after another, on the newest state, and committed together. Nobody is answered before everything that the answer rests on is durable.
/// README.md tells the protocol.
/// </summary>
/// <typeparam name="TState">null where there is nothing yet.</typeparam>
public abstract class Committing<TState>(IGrainContext context, GrainServices services, string kind) : IGrainBase where TState : class, ICreditHolder<TState>
{
    private const string Unsaid = "The store did not say whether it is written; send it again.";

    private readonly Queue<Command> waiting = new();

    // Those that failed together with others that cannot be decided alone: each goes out by itself, before what waits.
    private readonly Queue<Command> single = new();
    private Known? known;
    private long? doubted;
    private bool committing, left;

    public IGrainContext GrainContext => context;

    protected string Id { get; } = context.GrainId.Key.ToString()!;

    protected GrainServices Services => services;

    protected Refusal Absent => Refusal.NotFound($"{kind} {Id}");

    /// <summary>The newest durable state; null where there is none, or it is not known.</summary>
    protected TState? State => known?.State;

    private sealed record Known(TState? State, long Epoch);

    /// <summary>Reads the state, and the epoch under which it is; null: there is nothing yet.</summary>
    protected abstract Task<(TState State, long Epoch)?> Load();

    /// <summary>Learns, set-wise, what the commands of a batch need besides the state.</summary>
    /// <returns>The state with what belongs to it.</returns>
    protected abstract Task<TState?> Learn(TState? state, IReadOnlyCollection<Command> batch);

    /// <summary>The rows that a batch wants to decide on alone; null: this kind of batch never does.</summary>
    protected virtual Wanted? WantedBy(TState? state, IReadOnlyCollection<Command> batch) => null;

    /// <summary>Takes rows that were read for a batch that is decided alone.</summary>
    protected virtual TState? Take(TState? state, Rows rows) => state;

    /// <summary>A command of the batch has changed this; the next one rests on it.</summary>
    protected virtual void Decided(Changes changes) { }

    /// <summary>These rows had changed: they are read again.</summary>
    protected abstract void Stale(IReadOnlyCollection<RowKey> rows);

    /// <summary>Nothing in memory can be relied on any more.</summary>
    protected abstract void Drop();

    /// <summary>The document of a state under an epoch: its body only where that differs from before.</summary>
    protected abstract DocumentChange Write(TState? before, TState after, long epoch);

    /// <summary>A state has become durable: others are told.</summary>
    protected abstract void Committed(TState? before, TState after, Changes changes);

    /// <summary>A command; it is decided again after each conflict.</summary>
    protected abstract class Command
    {
        /// <summary>Whether it learns something of its own that other commands of a batch may change.</summary>
        public bool IsAlone { get; init; }

        /// <summary>Whether what has fallen due is booked even where the command changes nothing else.</summary>
        public bool Books { get; init; }

        /// <summary>Nothing it rests on is later than this.</summary>
        public virtual Instant AsOf(TState? state) => Instant.MinValue;

        /// <summary>Whether asking for it again, of another activation, brings it about no more than once.</summary>
        public virtual bool IsRepeatable => false;

        /// <summary>Whether the outcome of a commit that carried it is unknown.</summary>
        public bool IsInDoubt { get; private set; }

        /// <summary>The outcome of the commit that carried it is unknown.</summary>
        public virtual void Doubt() => IsInDoubt = true;

        /// <summary>These rows had changed when it was to be committed.</summary>
        public virtual void Meet(IReadOnlySet<RowKey> rows) { }

        /// <summary>How often it was decided.</summary>
        public int Decisions { get; set; }

        public ActivityContext Asked { get; } = Traces.Asking;

        public abstract (TState? State, Changes Changes) Decide(TState? state, Instant now);

        public abstract void Answer();

        public abstract void Fail(Exception exception);
    }

    /// <summary>A command and who waits for its answer.</summary>
    protected abstract class Command<TAnswer> : Command
    {
        private readonly TaskCompletionSource<TAnswer> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TAnswer? answer;
        private Exception? bug;

        public Task<TAnswer> Answered => answered.Task;

        public sealed override (TState? State, Changes Changes) Decide(TState? state, Instant now)
        {
            try
            {
                (var next, var changes, answer) = DecideOn(state, now);
                bug = null;
                return (next, changes);
            }
            catch (Exception e)
            {
                bug = e;
                return (state, Changes.None);
            }
        }

        public sealed override void Answer()
        {
            if (bug is null) answered.TrySetResult(answer!);
            else answered.TrySetException(bug);
        }

        public sealed override void Fail(Exception exception) => answered.TrySetException(exception);

        /// <summary>A pure decision on the state as it is at that instant.</summary>
        protected abstract Changed<TState?, TAnswer> DecideOn(TState? state, Instant now);
    }

    private sealed class LookAheadCommand : Command<Instant?>
    {
        public override bool IsRepeatable => true;

        protected override Changed<TState?, Instant?> DecideOn(TState? state, Instant now) => new(state, Changes.None, state?.NextDue);
    }

    /// <summary>Decides a command in its turn and answers when all that the answer rests on is durable.</summary>
    protected Task<TAnswer> Run<TAnswer>(Command<TAnswer> command)
    {
        if (left) throw new AskAgainException(Id);
        waiting.Enqueue(command);
        if (!committing) _ = CommitAll();
        return command.Answered;
    }

    /// <summary>Books what is due and answers when time will next change the state.</summary>
    protected Task<Instant?> LookAhead() => Run(new LookAheadCommand { Books = true });

    /// <summary>What a decision does to the state: a refusal changes nothing.</summary>
    protected static Changed<TState?, Decision<T>> Answer<TKnown, T>(TState? state, Decision<Changed<TKnown, T>> decision) where TKnown : TState =>
        decision.Value is { } changed ? new(changed.State, changed.Changes, changed.Answer) : new(state, Changes.None, decision.Refusal!);

    /// <summary>The same; refuses with <see cref="RefusalCode.NotFound"/> where there is nothing yet.</summary>
    protected Changed<TState?, Decision<T>> Existing<T>(TState? state, Func<TState, Decision<Changed<TState, T>>> decide) =>
        Answer(state, state is null ? Absent : decide(state));

    /// <summary>What is remembered by a request's key; null: nothing is.</summary>
    protected Task<KeyedRequest?> Recall(RequestKey? key) => services.Store.Recall(key);

    /// <summary>Decides a request once for its key: the commit that makes the change remembers the answer, and the same request gets it again.</summary>
    protected static Decision<Changed<TState, Answered<T>>> Once<T>(
        TState known, RequestKey? key, KeyedRequest? recalled, Func<Decision<Changed<TState, T>>> decide, Instant now, Instant? forgetAt = null)
    {
        if (recalled is null)
        {
            return decide().Select(changed => new Changed<TState, Answered<T>>(
                changed.State,
                changed.Changes + Remembered.Keep(known.ClientId, key, () => Json.Write(changed.Answer), now, forgetAt),
                new(changed.Answer, Replayed: false)));
        }
        return recalled.Fingerprint == key!.Fingerprint
            ? new Changed<TState, Answered<T>>(known, Changes.None, new(Json.Read<T>(recalled.Made), Replayed: true))
            : Remembered.KeyReused;
    }

    /// <summary>What is made for the first time is remembered by no key.</summary>
    protected static Changed<TState, Answered<T>> ForTheFirstTime<T>(Changed<TState, T> made) => new(made.State, made.Changes, new(made.Answer, Replayed: false));

    private async Task CommitAll()
    {
        committing = true;
        while (single.Count + waiting.Count > 0)
        {
            var isSingle = single.TryDequeue(out var first);
            first ??= waiting.Dequeue();
            var batch = new List<Command> { first };
            while (!isSingle && !first.IsAlone && batch.Count < Limits.MaxBatch && waiting.TryPeek(out var next) && !next.IsAlone) batch.Add(waiting.Dequeue());
            try
            {
                for (var attempt = isSingle ? Limits.MaxSharedAttempts : 0; batch.Count > 0; attempt++)
                {
                    if (attempt == Limits.MaxAttempts) throw new StoreUnavailableException("Others' commits came between too often; send it again.");
                    if (attempt >= Limits.MaxSharedAttempts && batch.Count > 1 && WantedBy(State, batch) is null)
                    {
                        foreach (var command in batch.Skip(1)) single.Enqueue(command);
                        batch = [batch[0]];
                    }
                    batch = await Attempt(batch, attempt);
                }
            }
            catch (Exception e)
            {
                foreach (var command in batch) command.Fail(e);
            }
        }
        committing = false;
    }

    // Returns the commands that must be decided again.
    private async Task<List<Command>> Attempt(List<Command> batch, int attempt)
    {
        using var activity = Traces.Begin($"decide {kind}", batch.Select(command => command.Asked));
        if (!await Own()) return Leave(batch);
        var (before, epoch) = known!;
        var decided = default(Attempted);
        CommitResult result;
        try
        {
            if (attempt >= Limits.MaxSharedAttempts && WantedBy(before, batch) is { } wanted)
            {
                result = await services.Store.CommitAlone(wanted, rows => DecideOn(Take(before, rows)));
            }
            else
            {
                result = await services.Store.Commit(DecideOn(await Learn(before, batch)));
            }
        }
        catch (StoreUnavailableException) when (decided.Writes)
        {
            Doubt(batch, epoch);
            throw;
        }

        switch (result)
        {
            case CommitResult.Done:
                before = known.State;
                known = new(decided.State, decided.Writes && epoch == 0 ? 1 : epoch);
                foreach (var command in batch.Except(decided.Later)) Answer(command);
                services.Metrics.Batches.Record(batch.Count - decided.Later.Count);
                if (!decided.Writes) return decided.Later;
                services.Metrics.NoteDelays(decided.Commit.Changes);
                Committed(before, decided.State!, decided.Commit.Changes);
                return decided.Later;
            case CommitResult.Conflict(var rows) when rows.Contains(RowKey.Document(kind, Id)):
                return Leave(batch);
            case CommitResult.Conflict(var rows):
                services.Metrics.Conflicts.Add(kind);
                Stale(rows);
                foreach (var command in batch) command.Meet(rows);
                return batch;
            case CommitResult.Unknown:
                if (decided.Writes) Doubt(batch, epoch);
                return batch;
            default:
                throw new InvariantException($"a commit does not end as {result}");
        }

        // What an attempt that fails has learnt is known to the next one.
        Commit DecideOn(TState? learnt)
        {
            known = new(learnt, epoch);
            return (decided = Decide(batch, learnt, epoch)).Commit;
        }
    }

    private void Answer(Command command)
    {
        services.Metrics.Decisions.Record(command.Decisions);
        command.Answer();
    }

    private readonly record struct Attempted(Commit Commit, TState? State, bool Writes, List<Command> Later);

    // Decides all commands in their order. Where none of them writes, what fell due stays unbooked and nothing but guards is committed.
    private Attempted Decide(List<Command> batch, TState? learnt, long epoch)
    {
        var (state, changes) = (learnt, new Batch());
        var later = new List<Command>();
        var now = Instant.Max(services.Clock.Now, learnt?.AsOf ?? Instant.MinValue);
        foreach (var command in batch)
        {
            now = Instant.Max(now, command.AsOf(state));
            var (rolled, passed) = RollForward(state, now);
            var (next, changed) = command.Decide(rolled, now);
            command.Decisions++;
            var writes = changed.Any() || (command.Books && !passed.IsNothing);
            if (!changes.TryAdd(writes ? passed + changed : changed.Before(passed)))
            {
                later.Add(command);
                continue;
            }
            if (!writes) continue;
            state = next;
            Decided(changed);
        }

        var document = RowKey.Document(kind, Id);
        if (changes.Writes) changes.TryAdd([Write(learnt, state!, epoch)]);
        else changes.TryAdd(Changes.None.RestingOn(new Guard(document, epoch)));
        var client = (state ?? learnt)?.ClientId ?? Entry.AllClients;
        return new(new(client, changes.ToChanges()), changes.Writes ? state : learnt, changes.Writes, later);
    }

    private static Changed<TState?> RollForward(TState? state, Instant now)
    {
        if (state is null) return new(null, Changes.None);
        var (next, changes) = state.RollForward(now);
        return new(next, changes);
    }

    // Raises the epoch before the first answer, and after each unknown outcome before anything is read again, so that nothing older can land (R3).
    // false: another activation has raised it.
    private async Task<bool> Own()
    {
        if (left) return false;
        if (known is not null) return true;
        var epoch = doubted is > 0 ? doubted.Value : (await services.Store.Document(kind, Id))?.Version ?? 0;
        if (epoch > 0 && !await Raise(epoch)) return false;
        var loaded = await Load();
        if (loaded is { } found && (epoch == 0 || found.Epoch != epoch + 1)) return false;
        (known, doubted) = (new(loaded?.State, loaded?.Epoch ?? 0), null);
        return true;
    }

    private async Task<bool> Raise(long epoch) =>
        await services.Store.Commit(new(Entry.AllClients, [new EpochChange(kind, Id, epoch + 1, epoch)])) switch
        {
            CommitResult.Done => true,
            CommitResult.Unknown(var cause) => throw new StoreUnavailableException(Unsaid, cause),
            _ => false,
        };

    private void Doubt(List<Command> batch, long epoch)
    {
        (known, doubted) = (null, epoch);
        Drop();
        foreach (var command in batch) command.Doubt();
    }

    // Who finds another activation at work never reads again: whatever was asked here is asked there, but for what may be done already.
    private List<Command> Leave(List<Command> batch)
    {
        left = true;
        foreach (var command in batch.Concat(single).Concat(waiting))
            command.Fail(command is { IsInDoubt: true, IsRepeatable: false } ? new StoreUnavailableException(Unsaid) : new AskAgainException(Id));
        single.Clear();
        waiting.Clear();
        context.Deactivate(new(DeactivationReasonCode.ApplicationRequested, "Another activation has raised the epoch."), CancellationToken.None);
        return [];
    }
}
