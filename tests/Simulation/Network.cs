using CreditGrains.Grains;
using CreditGrains.Grains.Local;

namespace CreditGrains.Simulation;

/// <summary>One actor in memory, and the calls that it has not answered.</summary>
internal sealed class Activation
{
    public Activation(World world, ActorId id, object actor)
    {
        Id = id;
        Actor = actor;
        Turns = new(world, this);
    }

    public ActorId Id { get; }

    public object Actor { get; }

    public Turns Turns { get; }

    public List<Action> WhenItDies { get; } = [];
}

/// <summary>Messages that are lost, late, doubled and out of order, to actors of which there are none, one or two.</summary>
internal sealed class Network(World world, Func<Weather> weather, Submissions submissions) : LocalActors
{
    private readonly Dictionary<ActorId, List<Activation>> alive = [];

    /// <summary>What actors work with; it names this network, so it comes later.</summary>
    public ActorServices Services { get; set; } = null!;

    private Dice Dice => world.Dice;

    public override bool IsLost(Exception exception) => exception is TimeoutException;

    /// <summary>Everything in memory is gone.</summary>
    public void Crash()
    {
        foreach (var activation in alive.Values.SelectMany(activations => activations).ToList()) Kill(activation);
    }

    /// <summary>Of two activations one stays, whichever it is.</summary>
    public void Unite()
    {
        foreach (var activations in alive.Values.Where(activations => activations.Count > 1).ToList()) Kill(Dice.Pick(activations));
    }

    protected override Task<TAnswer> Call<TActor, TAnswer>(Func<TActor, Task<TAnswer>> call, ActorId id)
    {
        world.StaysOnThread();
        var sender = TaskScheduler.Current as Turns;
        var answer = new TaskCompletionSource<TAnswer>();
        var garbled = id.Kind is ActorKind.PlayerCredit or ActorKind.Allocation && typeof(TAnswer) == typeof(bool) && Dice.Chance(weather().NoticeGarbled);
        if (Dice.Chance(weather().MessageLost) || (garbled && Dice.Chance(0.5)))
        {
            GiveUp(answer);
            return answer.Task;
        }

        // Whoever has given up, or is dead, takes what has not arrived yet with it: transports drop expired messages.
        world.After(garbled ? Late : Way, () =>
        {
            if (!answer.Task.IsCompleted && sender is not { IsDead: true }) Arrive(call, id, sender, answer);
        });
        if (Dice.Chance(weather().AnswerLost)) GiveUp(answer);
        if (Dice.Chance(weather().MessageDoubled) || garbled) world.After(garbled ? Late : Way + Way, () => Arrive(call, id, sender, new()));
        return answer.Task;
    }

    private void Arrive<TActor, TAnswer>(Func<TActor, Task<TAnswer>> call, ActorId id, Turns? sender, TaskCompletionSource<TAnswer> answer)
    {
        var activation = Route(id);
        var ended = submissions.Begin(id, typeof(TAnswer), (sender?.Owner as Activation)?.Id);
        activation.WhenItDies.Add(() =>
        {
            ended(null);
            GiveUp(answer);
        });
        var place = activation.WhenItDies[^1];
        activation.Turns.Start(async () =>
        {
            try
            {
                var value = await call((TActor)activation.Actor);
                ended(value);
                world.After(Way, () => answer.TrySetResult(value));
            }
            catch (Exception e)
            {
                if (e is not TimeoutException and not StoreUnavailableException) world.Fail("no actor throws but for what is away", $"{id}: {e}");
                ended(null);
                world.After(Way, () => answer.TrySetException(e));
            }
            activation.WhenItDies.Remove(place);
        });
    }

    private void GiveUp<TAnswer>(TaskCompletionSource<TAnswer> answer) => world.After(
        Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(Dice.Pick([1, 1, 15]))),
        () => answer.TrySetException(new TimeoutException("No answer came.")));

    private TimeSpan Way => Dice.Chance(weather().MessageDelayed) ? Late : TimeSpan.FromMicroseconds(Dice.Below(3) * 50);

    private TimeSpan Late => Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([0.01, 0.1, 5])));

    private Activation Route(ActorId id)
    {
        if (!alive.TryGetValue(id, out var activations)) alive[id] = activations = [];
        if (activations.Count > 0 && Dice.Chance(activations.Count > 1 ? Math.Min(0.05, 10 * weather().SecondActivation) : weather().ActorCrash)) Kill(Dice.Pick(activations));
        if (activations.Count == 0 || (activations.Count == 1 && Dice.Chance(weather().SecondActivation)))
            activations.Add(new(world, id, Create(id, Services)));
        return Dice.Pick(activations);
    }

    private void Kill(Activation activation)
    {
        alive[activation.Id].Remove(activation);
        activation.Turns.Die();
        foreach (var dies in activation.WhenItDies.ToList()) dies();
    }
}
