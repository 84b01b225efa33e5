using System.Runtime.CompilerServices;
using System.Text;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>A rule that did not hold.</summary>
internal sealed class Broken(string check, string detail) : Exception($"{check}: {detail}")
{
    public string Check => check;
}

/// <summary>What is told of a rule that did not hold; written only then.</summary>
[InterpolatedStringHandler]
internal readonly ref struct Detail
{
    private readonly StringBuilder? text;

    public Detail(int literalLength, int formattedCount, bool condition, out bool isWanted)
    {
        isWanted = !condition;
        text = isWanted ? new(literalLength + 16 * formattedCount) : null;
    }

    public void AppendLiteral(string literal) => text!.Append(literal);

    public void AppendFormatted<T>(T value) => text!.Append(value);

    public override string ToString() => $"{text}";
}

/// <summary>Something that will happen at a virtual time, unless it is called off.</summary>
internal sealed class Later(Action happens)
{
    public Action? Happens { get; private set; } = happens;

    public void CallOff() => Happens = null;
}

/// <summary>One world on one thread: turns of activations, timers and messages, the next of them picked by the dice.</summary>
internal sealed class World
{
    private const int MaxStepsAtOnce = 1_000_000;

    private static readonly long Soon = TimeSpan.FromMilliseconds(5).Ticks;

    private readonly PriorityQueue<Later, (long At, ulong Order)> later = new();
    private readonly List<Turns> ready = [];
    private readonly int thread = Environment.CurrentManagedThreadId;
    private Broken? broken;

    public World(ulong seed, bool hurries)
    {
        Dice = new(seed);
        Hurries = hurries;
        Time = new(this);
        Outside = new(this);
    }

    public Dice Dice { get; }

    /// <summary>Whether time may pass while there is still something to do.</summary>
    public bool Hurries { get; set; }

    public VirtualTime Time { get; }

    /// <summary>The turns of everything that is no grain: clients, the caretaker.</summary>
    public Turns Outside { get; }

    /// <summary>Virtual real time since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>A hash of all that has happened, in order.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    public Later After(TimeSpan delay, Action happens)
    {
        StaysOnThread();
        var what = new Later(happens);
        later.Enqueue(what, ((Now + delay).Ticks, Dice.Throw()));
        return what;
    }

    public void Ready(Turns turns) => ready.Add(turns);

    public void Unready(Turns turns) => ready.Remove(turns);

    public void Note(ulong what) => Trace = (Trace ^ what) * 1099511628211;

    public void Note(string what)
    {
        foreach (var letter in what) Note(letter);
    }

    /// <summary>Remembers the first rule that did not hold; the world ends with it.</summary>
    public void Fail(string check, string detail) => Interlocked.CompareExchange(ref broken, new(check, detail), null);

    public void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail)
    {
        if (!condition) Fail(check, detail.ToString());
    }

    /// <summary>What left the thread would no longer be picked by the dice.</summary>
    public void StaysOnThread() => Holds(Environment.CurrentManagedThreadId == thread, "all runs on the one thread", $"something hopped to another");

    /// <summary>Starts it among the outside turns.</summary>
    public Task Start(Func<Task> work) => Outside.Start(work);

    /// <summary>Lets the world go on until that is done.</summary>
    public void Run(Task until, TimeSpan atMost, string check)
    {
        Run(() => until.IsCompleted, atMost, check);
        until.GetAwaiter().GetResult();
    }

    public void Run(Func<bool> isDone, TimeSpan atMost, string check)
    {
        var end = Now + atMost;
        var (since, steps) = (Now, 0);
        while (!isDone())
        {
            (since, steps) = Now > since ? (Now, 0) : (since, steps + 1);
            if (steps > MaxStepsAtOnce) Fail(check, "time stands still");
            if (!Step()) Fail(check, "nothing is left that could happen");
            if (Now > end) Fail(check, $"not done after {atMost}");
            Check();
        }
        Check();
    }

    /// <summary>Throws what did not hold.</summary>
    public void Check()
    {
        if (Volatile.Read(ref broken) is { } rule) throw rule;
    }

    private bool Step()
    {
        while (later.TryPeek(out var off, out _) && off.Happens is null) later.Dequeue();
        var next = later.TryPeek(out _, out var due) ? due.At : long.MaxValue;
        var passes = next <= Now.Ticks ? Dice.Chance(0.5) : Hurries && next - Now.Ticks < Soon && Dice.Chance(0.02);
        if (ready.Count > 0 && !passes)
        {
            var place = Dice.Below(ready.Count);
            Note((ulong)place);
            ready[place].RunOne(() =>
            {
                ready[place] = ready[^1];
                ready.RemoveAt(ready.Count - 1);
            });
            return true;
        }
        if (!later.TryDequeue(out var what, out var when)) return false;
        Now = TimeSpan.FromTicks(Math.Max(Now.Ticks, when.At));
        Note((ulong)Now.Ticks);
        what.Happens!();
        return true;
    }
}

/// <summary>The turns of one activation, one after another; the world decides when.</summary>
internal sealed class Turns(World world) : TaskScheduler
{
    private readonly Queue<Task> tasks = new();

    public bool IsDead { get; private set; }

    public Task Start(Func<Task> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <summary>Whatever it had begun is never finished.</summary>
    public void Die()
    {
        IsDead = true;
        if (tasks.Count > 0) world.Unready(this);
        tasks.Clear();
    }

    public void RunOne(Action unready)
    {
        var task = tasks.Dequeue();
        if (tasks.Count == 0) unready();
        TryExecuteTask(task);
    }

    protected override void QueueTask(Task task)
    {
        world.StaysOnThread();
        if (IsDead) return;
        tasks.Enqueue(task);
        if (tasks.Count == 1) world.Ready(this);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => tasks;
}

/// <summary>Real time as the grains see it: it passes when the world says so.</summary>
internal sealed class VirtualTime(World world) : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => world.Now.Ticks;

    public override DateTimeOffset GetUtcNow() => Beginning + world.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new VirtualTimer(world.After(dueTime, () => callback(state)));

    private sealed class VirtualTimer(Later later) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException("no grain changes a timer");

        public void Dispose() => later.CallOff();

        public ValueTask DisposeAsync()
        {
            later.CallOff();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>Business time of two silos, moved by hand: their clocks are up to two seconds apart and drift, and none of them ever goes back.</summary>
internal sealed class Clocks
{
    /// <summary>How many silos there are.</summary>
    public const int Silos = 2;

    private static readonly Duration MostApart = Duration.FromSeconds(2);

    private readonly Dice dice;
    private readonly Clock[] clocks = [new(), new()];

    // Two days before a change to summer time.
    private Instant time = Instant.FromUtc(2026, 3, 27, 9, 0);

    public Clocks(Dice dice)
    {
        this.dice = dice;
        Drift();
    }

    /// <summary>What no clock is ahead of.</summary>
    public Instant Latest => Instant.Max(clocks[0].Now, clocks[1].Now);

    /// <summary>What no clock is behind.</summary>
    public Instant Earliest => Instant.Min(clocks[0].Now, clocks[1].Now);

    public Grains.IBusinessClock this[int silo] => clocks[silo];

    public (Instant, Instant) Both => (clocks[0].Now, clocks[1].Now);

    /// <summary>Time passes; the clocks drift on the way.</summary>
    public void MoveTo(Instant later)
    {
        time = Instant.Max(time, later);
        Drift();
    }

    /// <summary>Time passes until one of the clocks, but not both, shows that instant, or just not, or a little more.</summary>
    public void MoveAround(Instant boundary)
    {
        var clock = dice.Pick(clocks);
        if (boundary - clock.Ahead <= time) return;
        time = boundary - clock.Ahead + Duration.FromTicks(dice.Between(-1, 1) * TicksPerMicrosecond);
        foreach (var one in clocks) one.MoveTo(time);
    }

    private const long TicksPerMicrosecond = 10;

    private void Drift()
    {
        foreach (var clock in clocks)
        {
            if (dice.Chance(0.5)) clock.Ahead = Duration.FromTicks(dice.Below((int)(MostApart.BclCompatibleTicks / TicksPerMicrosecond)) * TicksPerMicrosecond * dice.Pick([0, 1, 1]));
            clock.MoveTo(time);
        }
    }

    private sealed class Clock : Grains.IBusinessClock
    {
        public Instant Now { get; private set; }

        public Duration Ahead { get; set; }

        public void MoveTo(Instant time) => Now = Instant.Max(Now, time + Ahead);
    }
}
