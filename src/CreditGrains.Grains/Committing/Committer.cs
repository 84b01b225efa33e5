using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>An actor whose state is a document, and which decides one command after another. Commands gather while a commit is out; the next commit carries them all, and nobody is answered before it is durable.</summary>
public abstract class Committer<TState>(ActorServices services)
{
    // How often a command is decided anew because others' fences failed, before it is told to look again.
    private const int MaxDecisions = 8;

    private readonly Queue<Command> waiting = new();
    private Known? known;
    private bool committing;

    protected ActorServices Services => services;

    private sealed record Known(TState State, long Version);

    /// <summary>Reads the state and its fence.</summary>
    protected abstract Task<(TState State, long Version)> Load();

    /// <summary>What else commands need to know, by the names of what they are about.</summary>
    protected virtual Task<TState> LoadRelated(TState state, Needs needs, IReadOnlyCollection<string> about) => Task.FromResult(state);

    /// <summary>What was read and must not have changed when the commands that needed it are committed.</summary>
    protected virtual IEnumerable<Guard> RestsOn(TState state) => [];

    /// <summary>When the state was last decided on.</summary>
    protected abstract Instant AsOf(TState state);

    /// <summary>What time does to the state (T3).</summary>
    protected virtual Changed<TState> RollForward(TState state, Instant now) => new(state, Changes.None);

    /// <summary>The document of a state: its body only where that differs from before; null where there is none.</summary>
    protected abstract DocumentWrite? Write(TState before, TState after, long version, Instant now);

    /// <summary>The guard that proves that there is still none.</summary>
    protected abstract Guard Prove(long version);

    /// <summary>A state has become durable.</summary>
    protected virtual void Committed(TState state) { }

    /// <summary>Decides a command in its turn and answers when all that the answer rests on is durable. Not settled: what the command brought with it is outdated, or the commit's outcome is unknown.</summary>
    protected Task<Settled<TAnswer>> Run<TAnswer>(Func<TState, Instant, Changed<TState, TAnswer>> decide, Needs needs = Needs.State, params IReadOnlyCollection<string> about)
    {
        var command = new Command<TAnswer>(decide, needs, about);
        waiting.Enqueue(command);
        if (!committing) _ = CommitAll();
        return command.Answer();
    }

    /// <summary>Decides a command anew until it is settled.</summary>
    protected async Task<TAnswer> Decide<TAnswer>(Func<TState, Instant, Changed<TState, TAnswer>> decide, Needs needs = Needs.State, params IReadOnlyCollection<string> about)
    {
        while (true)
        {
            var settled = await Run(decide, needs, about);
            if (settled.IsSettled) return settled.Answer!;
        }
    }

    /// <summary>What a decision does to the state: a refusal changes nothing.</summary>
    protected static Changed<TState, Decision<TAnswer>> Answer<TKnown, TAnswer>(TState state, Decision<Changed<TKnown, TAnswer>> decision) where TKnown : TState =>
        decision.Value is { } changed ? new(changed.State, changed.Changes, changed.Answer) : new(state, Changes.None, decision.Refusal!);

    private async Task CommitAll()
    {
        committing = true;
        try
        {
            while (waiting.Count > 0)
            {
                var batch = new List<Command>();
                while (batch.Count < Limits.MaxBatch && waiting.TryDequeue(out var command)) batch.Add(command);
                await CommitBatch(batch);
            }
        }
        finally
        {
            committing = false;
        }
    }

    private async Task CommitBatch(List<Command> batch)
    {
        try
        {
            while (batch.Count > 0) batch = await Attempt(batch);
        }
        catch (Exception e)
        {
            known = null;
            foreach (var command in batch) command.Fail(e);
        }
    }

    // Decides the commands on the newest state known and commits; returns those to be decided anew, and those that another one of them leaves with something old.
    private async Task<List<Command>> Attempt(List<Command> batch)
    {
        if (known is null)
        {
            var (loaded, loadedVersion) = await Load();
            known = new(loaded, loadedVersion);
        }
        var needs = batch.Max(command => command.Needs);
        if (needs > Needs.State) known = known with { State = await LoadRelated(known.State, needs, [.. batch.SelectMany(command => command.About).Distinct()]) };

        var (before, version) = known;
        var now = Instant.Max(services.Clock.Now, AsOf(before));
        var (state, passed) = RollForward(before, now);
        var parts = new List<Changes> { passed };
        var decided = new List<Command>();
        var later = new List<Command>();
        var changed = Fences.Changing(passed).ToHashSet();
        var rights = new Dictionary<string, Right?>();
        foreach (var command in batch)
        {
            var (next, changes) = command.Decide(state, now);
            var used = Fences.Rights(changes).ToList();
            if (changed.Overlaps(Fences.Finding(changes)) || used.Any(use => rights.TryGetValue(use.User, out var other) && (other is null || other != use.Right)))
            {
                later.Add(command);
                continue;
            }
            state = next;
            parts.Add(changes);
            decided.Add(command);
            changed.UnionWith(Fences.Changing(changes));
            foreach (var (user, right) in used) rights[user] = right;
        }

        // A refusal is written as a new version: what is still on its way to the store, its outcome lost, can then no longer land.
        var merged = Commit.Merge(parts);
        var write = Write(before, state, version, now);
        var result = await services.Store.Commit(write is null ? new([], [Prove(version)], Changes.None) : new([write, .. Remembered.Of(merged, now)], needs > Needs.State ? [.. RestsOn(before)] : [], merged));
        switch (result)
        {
            case CommitResult.Done:
                known = new(state, write is null ? version : version + 1);
                Committed(state);
                foreach (var command in decided) command.Settle();
                return later;
            case CommitResult.Conflict(var keys):
                known = null;
                return [.. decided.Where(command => command.SurvivesConflict(keys, MaxDecisions)), .. later];
            default:
                known = null;
                foreach (var command in decided) command.Outdate();
                return later;
        }
    }

    private abstract class Command
    {
        private int decisions;
        private HashSet<string> fences = [];

        public abstract Needs Needs { get; }

        public abstract IReadOnlyCollection<string> About { get; }

        public (TState State, Changes Changes) Decide(TState state, Instant now)
        {
            decisions++;
            var decided = DecideOn(state, now);
            fences = [.. Fences.Of(decided.Changes)];
            return decided;
        }

        // One whose own fence failed rests on something old and is told so; the others are decided anew.
        public bool SurvivesConflict(IReadOnlySet<string> keys, int maxDecisions)
        {
            if (!fences.Overlaps(keys) && decisions < maxDecisions) return true;
            Outdate();
            return false;
        }

        public abstract void Settle();

        public abstract void Outdate();

        public abstract void Fail(Exception exception);

        protected abstract (TState State, Changes Changes) DecideOn(TState state, Instant now);
    }

    private sealed class Command<TAnswer>(Func<TState, Instant, Changed<TState, TAnswer>> decide, Needs needs, IReadOnlyCollection<string> about) : Command
    {
        private readonly TaskCompletionSource<Settled<TAnswer>> source = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TAnswer? answer;
        private Exception? bug;

        public override Needs Needs => needs;

        public override IReadOnlyCollection<string> About => about;

        public async Task<Settled<TAnswer>> Answer() => await source.Task;

        public override void Settle()
        {
            if (bug is null) source.SetResult(new(true, answer));
            else source.SetException(bug);
        }

        public override void Outdate() => source.SetResult(new(false, default));

        public override void Fail(Exception exception) => source.TrySetException(exception);

        protected override (TState State, Changes Changes) DecideOn(TState state, Instant now)
        {
            try
            {
                (state, var changes, answer) = decide(state, now);
                bug = null;
                return (state, changes);
            }
            catch (Exception e)
            {
                bug = e;
                return (state, Changes.None);
            }
        }
    }
}

/// <summary>A command's answer; without one, what the command rested on is outdated or the outcome is unknown.</summary>
public readonly record struct Settled<TAnswer>(bool IsSettled, TAnswer? Answer);

/// <summary>What a command needs to know besides the state.</summary>
public enum Needs
{
    State,

    /// <summary>What lies beside it: a contract's users; the projects and milestones that an account's command is about.</summary>
    Related,

    /// <summary>The same as others may have changed it: users disabled or enabled since.</summary>
    RelatedAnew,
}
