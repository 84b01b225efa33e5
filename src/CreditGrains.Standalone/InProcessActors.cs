using System.Collections.Concurrent;
using CreditGrains.Grains;
using CreditGrains.Grains.Local;

namespace CreditGrains.Standalone;

/// <summary>How long actors stay in memory without being called, in real time, and how many.</summary>
internal sealed record ActivationLimits(TimeSpan Idle, int Count)
{
    /// <summary>Above the count, what was called within this time still stays: claims and holds are in use that long.</summary>
    public TimeSpan Busy { get; init; } = TimeSpan.FromSeconds(1);

    public static readonly ActivationLimits Default = new(TimeSpan.FromMinutes(1), 100_000);
}

/// <summary>All actors of one process: one activation a key, made when it is first called and let go when nobody calls it.</summary>
internal sealed class InProcessActors : LocalActors, IDisposable
{
    // More than one for each that comes, so that the number falls again after a crowd.
    private const int LookedAtForEachNew = 4;

    private readonly ConcurrentDictionary<ActorId, Activation> activations = new();
    private readonly ConcurrentQueue<Activation> byAge = new();
    private readonly ActorServices services;
    private readonly ActivationLimits limits;
    private readonly ITimer sweep;
    private int count;

    /// <param name="services">What actors work with, given how they reach each other.</param>
    public InProcessActors(Func<IActors, ActorServices> services, ActivationLimits? limits = null)
    {
        this.services = services(this);
        this.limits = limits ?? ActivationLimits.Default;
        sweep = this.services.Time.CreateTimer(_ => LetGo(this.limits.Idle), null, this.limits.Idle, this.limits.Idle);
    }

    /// <summary>How many are in memory.</summary>
    public int Count => count;

    // Within one process no message is lost; an exception that says so comes from elsewhere.
    public override bool IsLost(Exception exception) => exception is TimeoutException;

    /// <summary>Lets go of those that nobody has called for that long.</summary>
    public void LetGo(TimeSpan idle) => LetGo(byAge.Count, idle);

    public void Dispose() => sweep.Dispose();

    protected override Task<TAnswer> Call<TActor, TAnswer>(Func<TActor, Task<TAnswer>> call, ActorId id)
    {
        var activation = Enter(id);
        return Task.Factory.StartNew(Turn, CancellationToken.None, TaskCreationOptions.DenyChildAttach, activation.Turns).Unwrap();

        async Task<TAnswer> Turn()
        {
            try
            {
                return await call((TActor)activation.Actor);
            }
            finally
            {
                activation.Leave(services.Time.GetTimestamp());
            }
        }
    }

    private Activation Enter(ActorId id)
    {
        while (true)
        {
            var activation = activations.GetOrAdd(id, static (id, services) => new(id, Create(id, services)), services);
            switch (activation.Enter())
            {
                case Entered.First:
                    byAge.Enqueue(activation);
                    if (Interlocked.Increment(ref count) > limits.Count) LetGo(LookedAtForEachNew, limits.Busy);
                    return activation;
                case Entered.Again:
                    return activation;
                default:
                    activations.TryRemove(new(id, activation));
                    break;
            }
        }
    }

    // The oldest are looked at first; those still in use go to the end of the queue.
    private void LetGo(int atMost, TimeSpan idle)
    {
        for (; atMost > 0 && byAge.TryDequeue(out var activation); atMost--)
        {
            if (!activation.TryRetire(called => services.Time.GetElapsedTime(called) >= idle))
            {
                byAge.Enqueue(activation);
                continue;
            }
            activations.TryRemove(new(activation.Id, activation));
            Interlocked.Decrement(ref count);
        }
    }

    private enum Entered { First, Again, Retired }

    private sealed class Activation(ActorId id, object actor)
    {
        private const int Retired = -1;

        private int entered;
        private int running;
        private long called;

        public ActorId Id => id;

        public object Actor => actor;

        public Turns Turns { get; } = new();

        // Whoever has entered keeps it from being let go.
        public Entered Enter()
        {
            lock (Turns)
            {
                if (running == Retired) return Entered.Retired;
                running++;
                return entered++ == 0 ? Entered.First : Entered.Again;
            }
        }

        public void Leave(long now)
        {
            lock (Turns)
            {
                running--;
                called = now;
            }
        }

        public bool TryRetire(Func<long, bool> isIdle)
        {
            lock (Turns)
            {
                if (running > 0 || !isIdle(called)) return false;
                running = Retired;
                return true;
            }
        }
    }
}
