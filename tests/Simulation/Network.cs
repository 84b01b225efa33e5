using System.Collections.Immutable;
using System.Reflection;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace CreditGrains.Simulation;

/// <summary>A call of a grain's method.</summary>
/// <param name="Silo">Where it comes from; null: from outside.</param>
internal sealed record Call(GrainId Id, MethodInfo Method, object?[] Arguments, int? Silo, Turns? Sender);

/// <summary>
/// The way to grains: messages that are lost, late, doubled and out of order, to activations of which there are none, one or two. A second activation
/// is a new one beside an old one that does not know of it: the old one keeps what it has been asked, and works on.
/// </summary>
internal sealed class Network(World world, Func<Weather> weather)
{
    // As often a call is sent again that came to a grain that has moved.
    private const int MaxAsks = 20;

    private static readonly MethodInfo ReceiveReminder = typeof(IRemindable).GetMethod(nameof(IRemindable.ReceiveReminder), [typeof(string), typeof(TickStatus)])!;

    private static readonly Dictionary<Type, GrainKind> Kinds = new GrainKind[]
    {
        new(typeof(IContractGrain), typeof(ContractGrain), "contract", (context, services) => new ContractGrain(context, services)),
        new(typeof(IAllocationGrain), typeof(AllocationGrain), "allocation", (context, services) => new AllocationGrain(context, services)),
        new(typeof(IPlayerCreditsGrain), typeof(PlayerCreditsGrain), "playercredits", (context, services) => new PlayerCreditsGrain(context, services)),
        new(typeof(IUserGrain), typeof(UserGrain), "user", (context, services) => new UserGrain(context, services)),
        new(typeof(IAccountGrain), typeof(AccountGrain), "account", (context, services) => new AccountGrain(context, services)),
        new(typeof(IServicesSettingsGrain), typeof(ServicesSettingsGrain), "servicessettings", (context, services) => new ServicesSettingsGrain(context, services)),
    }.ToDictionary(kind => kind.Interface);

    private readonly Dictionary<GrainId, List<Activation>> alive = [];
    private readonly Dictionary<GrainId, GrainKind> kinds = [];

    /// <summary>What grains of each silo work with; it names this network, so it comes later.</summary>
    public IReadOnlyList<GrainServices> Silos { get; set; } = [];

    public required Reminders Reminders { get; init; }

    /// <summary>Each sees a call that reaches an activation, and may wait for its answer: null where it ends without one, an exception where it throws.</summary>
    public List<Func<Activation, Call, Action<object?>?>> Watchers { get; } = [];

    private Dice Dice => world.Dice;

    /// <summary>Grains as seen from a silo; null: from outside.</summary>
    public IGrainFactory From(int? silo) => new SimulatedFactory(this, silo);

    /// <summary>Everything in a silo's memory is gone; null: in both.</summary>
    public void Crash(int? silo)
    {
        foreach (var activation in alive.Values.SelectMany(activations => activations).Where(one => silo is null || one.Silo == silo).ToList()) Kill(activation);
    }

    /// <summary>Of two activations one stays, whichever it is.</summary>
    public void Unite()
    {
        foreach (var activations in alive.Values.Where(activations => activations.Count > 1).ToList())
            while (activations.Count > 1) Kill(Dice.Pick(activations));
    }

    /// <summary>A reminder rings.</summary>
    public void Ring(GrainId id, string name)
    {
        var call = new Call(id, ReceiveReminder, [name, default(TickStatus)], null, null);
        _ = Send<Nothing>(call).ContinueWith(ended => ended.Exception, TaskContinuationOptions.ExecuteSynchronously);
    }

    internal GrainId IdOf(Type grain, string key)
    {
        var id = GrainId.Create(Kinds[grain].Name, key);
        kinds.TryAdd(id, Kinds[grain]);
        return id;
    }

    /// <summary>Sends a call; one that came to a grain that has moved is sent again, as the front does.</summary>
    internal async Task<T> Ask<T>(Call call)
    {
        for (var asks = 1; ; asks++)
        {
            try
            {
                return await Send<T>(call);
            }
            catch (AskAgainException) when (asks < MaxAsks)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(asks), world.Time);
            }
            catch (AskAgainException)
            {
                throw new TimeoutException("The grain moves on and on.");
            }
        }
    }

    /// <summary>Sends a notice: nobody hears of what becomes of it.</summary>
    internal void Tell(Call call)
    {
        var garbled = Dice.Chance(weather().NoticeGarbled);
        if (Dice.Chance(weather().MessageLost) || (garbled && Dice.Chance(0.5))) return;
        world.After(garbled ? Late : Way, () => Arrive<Nothing>(call, null));
        if (Dice.Chance(weather().MessageDoubled) || garbled) world.After(garbled ? Late : Way + Way, () => Arrive<Nothing>(call, null));
    }

    private Task<T> Send<T>(Call call)
    {
        world.StaysOnThread();
        var answer = new TaskCompletionSource<T>();
        if (Dice.Chance(weather().MessageLost))
        {
            GiveUp(answer);
            return answer.Task;
        }

        // Whoever has given up, or is dead, takes what has not arrived yet with it: transports drop expired messages.
        world.After(Way, () =>
        {
            if (!answer.Task.IsCompleted && call.Sender is not { IsDead: true }) Arrive(call, answer);
        });
        if (Dice.Chance(weather().AnswerLost)) GiveUp(answer);
        if (Dice.Chance(weather().MessageDoubled)) world.After(Way + Way, () => Arrive<T>(call, null));
        return answer.Task;
    }

    // Without an answer to give nobody waits for it.
    private void Arrive<T>(Call call, TaskCompletionSource<T>? answer)
    {
        var activation = Route(call);
        var watching = Watchers.Select(watcher => watcher(activation, call)).OfType<Action<object?>>().ToList();
        void Died()
        {
            foreach (var watcher in watching) watcher(null);
            if (answer is not null) GiveUp(answer);
        }
        activation.WhenItDies.Add(Died);
        activation.Take(call.Method, async () =>
        {
            try
            {
                var value = await Carry<T>(activation, call);
                foreach (var watcher in watching) watcher(value);
                if (answer is not null) world.After(Way, () => answer.TrySetResult(value));
            }
            catch (Exception e)
            {
                if (e is not TimeoutException and not StoreUnavailableException and not AskAgainException)
                    world.Fail("no grain throws but for what is away", $"{call.Id} {call.Method.Name}: {e}");
                foreach (var watcher in watching) watcher(e);
                if (answer is not null) world.After(Way, () => answer.TrySetException(e));
            }
            activation.WhenItDies.Remove(Died);
        });
    }

    private static async Task<T> Carry<T>(Activation activation, Call call)
    {
        var task = (Task)call.Method.Invoke(activation.Grain, BindingFlags.DoNotWrapExceptions, null, call.Arguments, null)!;
        if (task is Task<T> answered) return await answered;
        await task;
        return default!;
    }

    private void GiveUp<T>(TaskCompletionSource<T> answer) => world.After(
        Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(Dice.Pick([1, 1, 15]))),
        () => answer.TrySetException(new TimeoutException("No answer came.")));

    private TimeSpan Way => Dice.Chance(weather().MessageDelayed) ? Late : TimeSpan.FromMicroseconds(Dice.Below(3) * 50);

    private TimeSpan Late => Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([0.01, 0.1, 5])));

    // The directory knows the newest activation; who has asked an older one may ask it still.
    private Activation Route(Call call)
    {
        if (!alive.TryGetValue(call.Id, out var activations)) alive[call.Id] = activations = [];
        if (activations.Count > 0 && Dice.Chance(activations.Count > 1 ? Math.Min(0.05, 10 * weather().SecondActivation) : weather().GrainCrash)) Kill(Dice.Pick(activations));
        if (activations.Count == 0 || (activations.Count == 1 && Dice.Chance(weather().SecondActivation))) activations.Add(Activate(call));
        return activations.Count == 1 || Dice.Chance(0.7) ? activations[^1] : activations[0];
    }

    private Activation Activate(Call call)
    {
        var kind = kinds[call.Id];
        var silo = kind.PrefersLocal && call.Silo is { } local ? local : Dice.Below(Silos.Count);
        var activation = new Activation(world, call.Id, silo, kind);
        activation.Grain = kind.Make(new SimulatedContext(call.Id, Reminders, () => Leave(activation)), Silos[silo]);
        return activation;
    }

    // It finishes what it has been asked, and gets nothing more.
    private void Leave(Activation activation) => alive[activation.Id].Remove(activation);

    private void Kill(Activation activation)
    {
        alive[activation.Id].Remove(activation);
        activation.Turns.Die();
        foreach (var dies in activation.WhenItDies.ToList()) dies();
    }
}

/// <summary>No answer.</summary>
internal readonly record struct Nothing;

/// <summary>A class of grains.</summary>
internal sealed record GrainKind(Type Interface, Type Class, string Name, Func<IGrainContext, GrainServices, object> Make)
{
    public bool IsReentrant { get; } = Class.GetCustomAttribute<ReentrantAttribute>() is not null;

    public bool PrefersLocal { get; } = Class.GetCustomAttribute<PreferLocalPlacementAttribute>() is not null;
}

/// <summary>One grain in one silo's memory, and the calls that it has not answered.</summary>
internal sealed class Activation(World world, GrainId id, int silo, GrainKind kind)
{
    private readonly Queue<Func<Task>> waiting = new();
    private bool isBusy;

    public GrainId Id => id;

    public int Silo => silo;

    public object Grain { get; set; } = null!;

    public Turns Turns { get; } = new(world);

    public List<Action> WhenItDies { get; } = [];

    /// <summary>What it has told, for watchers.</summary>
    public Dictionary<string, long> Told { get; } = [];

    /// <summary>A call has come: one after another, but where calls may interleave.</summary>
    public void Take(MethodInfo method, Func<Task> work)
    {
        if (kind.IsReentrant || method.IsDefined(typeof(AlwaysInterleaveAttribute)))
        {
            Turns.Start(work);
            return;
        }
        waiting.Enqueue(work);
        if (!isBusy) Next();
    }

    private void Next()
    {
        isBusy = waiting.TryDequeue(out var work);
        if (!isBusy) return;
        Turns.Start(async () =>
        {
            await work!();
            Next();
        });
    }
}

/// <summary>Grains by interface and key, as the grains' own code asks for them.</summary>
internal sealed class SimulatedFactory(Network network, int? silo) : IGrainFactory
{
    private readonly Dictionary<(Type, string), object> proxies = [];

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null) where TGrainInterface : IGrainWithStringKey
    {
        if (proxies.TryGetValue((typeof(TGrainInterface), primaryKey), out var known)) return (TGrainInterface)known;
        var made = DispatchProxy.Create<TGrainInterface, GrainProxy>();
        ((GrainProxy)(object)made).Leads(network, network.IdOf(typeof(TGrainInterface), primaryKey), silo);
        proxies[(typeof(TGrainInterface), primaryKey)] = made;
        return made;
    }

    TGrainInterface IGrainFactory.GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix) => throw new NotSupportedException();

    TGrainInterface IGrainFactory.GetGrain<TGrainInterface>(long primaryKey, string? grainClassNamePrefix) => throw new NotSupportedException();

    TGrainInterface IGrainFactory.GetGrain<TGrainInterface>(Guid primaryKey, string keyExtension, string? grainClassNamePrefix) => throw new NotSupportedException();

    TGrainInterface IGrainFactory.GetGrain<TGrainInterface>(long primaryKey, string keyExtension, string? grainClassNamePrefix) => throw new NotSupportedException();

    TGrainObserverInterface IGrainFactory.CreateObjectReference<TGrainObserverInterface>(IGrainObserver obj) => throw new NotSupportedException();

    void IGrainFactory.DeleteObjectReference<TGrainObserverInterface>(IGrainObserver obj) => throw new NotSupportedException();

    IGrain IGrainFactory.GetGrain(Type grainInterfaceType, Guid grainPrimaryKey) => throw new NotSupportedException();

    IGrain IGrainFactory.GetGrain(Type grainInterfaceType, long grainPrimaryKey) => throw new NotSupportedException();

    IGrain IGrainFactory.GetGrain(Type grainInterfaceType, string grainPrimaryKey) => throw new NotSupportedException();

    IGrain IGrainFactory.GetGrain(Type grainInterfaceType, Guid grainPrimaryKey, string keyExtension) => throw new NotSupportedException();

    IGrain IGrainFactory.GetGrain(Type grainInterfaceType, long grainPrimaryKey, string keyExtension) => throw new NotSupportedException();

    TGrainInterface IGrainFactory.GetGrain<TGrainInterface>(GrainId grainId) => throw new NotSupportedException();

    IAddressable IGrainFactory.GetGrain(GrainId grainId) => throw new NotSupportedException();

    IAddressable IGrainFactory.GetGrain(GrainId grainId, GrainInterfaceType interfaceType) => throw new NotSupportedException();

    IAddressable IGrainFactory.GetGrain(Type interfaceType, IdSpan grainKey, string grainClassNamePrefix) => throw new NotSupportedException();

    IAddressable IGrainFactory.GetGrain(Type interfaceType, IdSpan grainKey) => throw new NotSupportedException();
}

/// <summary>Sends every call of a grain's interface over the network.</summary>
internal class GrainProxy : DispatchProxy
{
    private static readonly Dictionary<MethodInfo, Sending> Sendings = [];
    private static readonly Lock Making = new();

    private Network network = null!;
    private GrainId id;
    private int? silo;

    internal void Leads(Network to, GrainId grain, int? from) => (network, id, silo) = (to, grain, from);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var sending = SendingOf(targetMethod!);
        return sending.Send(network, new(id, sending.Method, args ?? [], silo, TaskScheduler.Current as Turns));
    }

    private static Sending SendingOf(MethodInfo method)
    {
        lock (Making)
        {
            if (Sendings.TryGetValue(method, out var known)) return known;
            var answer = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericArguments()[0] : typeof(Nothing);
            return Sendings[method] = method.IsDefined(typeof(OneWayAttribute))
                ? new Telling(method)
                : (Sending)Activator.CreateInstance(typeof(Asking<>).MakeGenericType(answer), method)!;
        }
    }

    // One object stands for a method, so that the way to call it is made once.
    private abstract class Sending(MethodInfo method)
    {
        public MethodInfo Method => method;

        public abstract Task Send(Network network, Call call);
    }

    private sealed class Asking<T>(MethodInfo method) : Sending(method)
    {
        public override Task Send(Network network, Call call) => network.Ask<T>(call);
    }

    private sealed class Telling(MethodInfo method) : Sending(method)
    {
        public override Task Send(Network network, Call call)
        {
            network.Tell(call);
            return Task.CompletedTask;
        }
    }
}

/// <summary>What an activation needs of its runtime: who it is, its reminders, and a way to leave.</summary>
internal sealed class SimulatedContext(GrainId id, Reminders reminders, Action leave) : IGrainContext, IServiceProvider
{
    public GrainId GrainId => id;

    public IServiceProvider ActivationServices => this;

    GrainReference IGrainContext.GrainReference => throw new NotSupportedException();

    object IGrainContext.GrainInstance => throw new NotSupportedException();

    ActivationId IGrainContext.ActivationId => throw new NotSupportedException();

    GrainAddress IGrainContext.Address => throw new NotSupportedException();

    IGrainLifecycle IGrainContext.ObservableLifecycle => throw new NotSupportedException();

    IWorkItemScheduler IGrainContext.Scheduler => throw new NotSupportedException();

    Task IGrainContext.Deactivated => throw new NotSupportedException();

    public object? GetService(Type serviceType) => serviceType == typeof(Orleans.Timers.IReminderRegistry) ? reminders : null;

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken) => leave();

    object? Orleans.Serialization.Invocation.ITargetHolder.GetTarget() => throw new NotSupportedException();

    object? Orleans.Serialization.Invocation.ITargetHolder.GetComponent(Type componentType) => throw new NotSupportedException();

    void IGrainContext.SetComponent<TComponent>(TComponent? value) where TComponent : class => throw new NotSupportedException();

    void IGrainContext.ReceiveMessage(object message) => throw new NotSupportedException();

    void IGrainContext.Activate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) => throw new NotSupportedException();

    void IGrainContext.Rehydrate(IRehydrationContext context) => throw new NotSupportedException();

    void IGrainContext.Migrate(Dictionary<string, object>? requestContext, CancellationToken cancellationToken) => throw new NotSupportedException();

    bool IEquatable<IGrainContext>.Equals(IGrainContext? other) => ReferenceEquals(this, other);
}

/// <summary>Reminders: they outlive activations, ring once the business clocks have passed them, and get lost.</summary>
internal sealed class Reminders(World world, Clocks clocks, Func<Weather> weather) : Orleans.Timers.IReminderRegistry
{
    private readonly SortedDictionary<string, (GrainId Id, string Name, NodaTime.Instant At)> set = new(StringComparer.Ordinal);

    private sealed record Reminder(string ReminderName) : IGrainReminder;

    /// <summary>Those that are due ring; each rings again until it is set anew.</summary>
    public void Ring(Network network)
    {
        foreach (var (_, reminder) in set.Where(one => one.Value.At <= clocks.Latest).ToList())
            if (!world.Dice.Chance(weather().ReminderLost)) network.Ring(reminder.Id, reminder.Name);
    }

    public Task<IGrainReminder> RegisterOrUpdateReminder(GrainId callingGrainId, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        if (world.Dice.Chance(weather().ReminderLost)) throw new TimeoutException("The reminders are away.");
        set[$"{callingGrainId}/{reminderName}"] = (callingGrainId, reminderName, clocks.Latest + NodaTime.Duration.FromTimeSpan(dueTime));
        return Task.FromResult<IGrainReminder>(new Reminder(reminderName));
    }

    public Task<IGrainReminder> RegisterOrUpdateReminder(GrainId callingGrainId, string reminderName, TimeSpan dueTime, TimeSpan period, CancellationToken cancellationToken) =>
        RegisterOrUpdateReminder(callingGrainId, reminderName, dueTime, period);

    public Task UnregisterReminder(GrainId callingGrainId, IGrainReminder reminder)
    {
        set.Remove($"{callingGrainId}/{reminder.ReminderName}");
        return Task.CompletedTask;
    }

    public Task UnregisterReminder(GrainId callingGrainId, IGrainReminder reminder, CancellationToken cancellationToken) => UnregisterReminder(callingGrainId, reminder);

    public Task<IGrainReminder?> GetReminder(GrainId callingGrainId, string reminderName) =>
        Task.FromResult<IGrainReminder?>(set.ContainsKey($"{callingGrainId}/{reminderName}") ? new Reminder(reminderName) : null);

    public Task<IGrainReminder?> GetReminder(GrainId callingGrainId, string reminderName, CancellationToken cancellationToken) => GetReminder(callingGrainId, reminderName);

    public Task<List<IGrainReminder>> GetReminders(GrainId callingGrainId) => throw new NotSupportedException();

    public Task<List<IGrainReminder>> GetReminders(GrainId callingGrainId, CancellationToken cancellationToken) => throw new NotSupportedException();
}
