using CreditGrains.Domain;
using NodaTime;
using NodaTime.Text;
using Orleans.Runtime;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace CreditGrains.Grains;

/// <summary>A cluster's test clock (T4): one instant for all silos, kept in the grain store.</summary>
public interface IClockGrain : IGrainWithIntegerKey
{
    /// <summary>The instant of the clock; the first who asks starts it.</summary>
    Task<Instant> Start(Instant at);

    /// <summary>The instant of the clock; null: nobody has started it.</summary>
    Task<Instant?> Stands();

    /// <summary>
    /// Moves forward; returns when every silo has it and all that fell due has been processed. The same key and request again: the first answer.
    /// </summary>
    [ResponseTimeout("00:30:00")]
    Task<Decision<Answered<Instant>>> Advance(Instant to, RequestKey? key);
}

/// <summary>One silo's share of the test clock; its key is the silo's address.</summary>
public interface ISiloClockGrain : IGrainWithStringKey
{
    /// <summary>Returns when decisions on that silo see this instant.</summary>
    Task Set(Instant now);
}

/// <summary>What is stored of the clock.</summary>
[GenerateSerializer]
public sealed class ClockState
{
    /// <summary>ISO-8601; null: not started.</summary>
    [Id(0)]
    public string? Now { get; set; }
}

/// <inheritdoc cref="IClockGrain"/>
public sealed class ClockGrain(
    IGrainContext context, IGrainFactory grains, IStore store, DueWork due, [PersistentState("creditgrains-clock")] IPersistentState<ClockState> state)
    : IClockGrain, IGrainBase
{
    public IGrainContext GrainContext => context;

    public async Task<Instant> Start(Instant at)
    {
        if (state.State.Now is null) await Keep(at);
        return Now;
    }

    public Task<Instant?> Stands() => Task.FromResult(state.State.Now is null ? (Instant?)null : Now);

    public async Task<Decision<Answered<Instant>>> Advance(Instant to, RequestKey? key)
    {
        if (await store.Recall(key) is { } recalled)
        {
            if (recalled.Fingerprint != key!.Fingerprint) return Remembered.KeyReused;
            if (Json.Read<Instant>(recalled.Made) <= Now) return new Answered<Instant>(Json.Read<Instant>(recalled.Made), Replayed: true);
        }
        else
        {
            if (to < Now) return Refusal.Invalid("advanceTo", $"must not be before the clock's now, {Now}");

            // Remembered before it is done: whoever sends it again has it done, if it is not.
            var kept = Remembered.Keep(Entry.AllClients, key, () => Json.Write(to), to);
            if (!kept.IsNothing && await store.Commit(new(Entry.AllClients, kept)) is not CommitResult.Done) throw new AskAgainException("the clock");
        }
        await Move(to);
        return new Answered<Instant>(to, Replayed: false);
    }

    private async Task Move(Instant to)
    {
        await Keep(to);

        // A silo that becomes active only now reads what was just kept.
        foreach (var (silo, status) in await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true))
        {
            if (status != SiloStatus.Active) continue;
            RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
            await grains.GetGrain<ISiloClockGrain>(silo.ToParsableString()).Set(to);
            RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        }
        await due.Settle();
    }

    private Instant Now => InstantPattern.ExtendedIso.Parse(state.State.Now!).Value;

    private async Task Keep(Instant now)
    {
        state.State.Now = InstantPattern.ExtendedIso.Format(now);
        await state.WriteStateAsync();
    }
}

/// <inheritdoc cref="ISiloClockGrain"/>
[RandomPlacement]
public sealed class SiloClockGrain(IGrainContext context, ClusterClock clock, ILocalSiloDetails silo) : ISiloClockGrain, IGrainBase
{
    public IGrainContext GrainContext => context;

    public Task Set(Instant now)
    {
        var key = context.GrainId.Key.ToString();
        if (key != silo.SiloAddress.ToParsableString()) throw new InvalidOperationException($"The clock of {key} was placed on {silo.SiloAddress}.");
        clock.Set(now);
        return Task.CompletedTask;
    }
}

/// <summary>A silo's view of the cluster's test clock.</summary>
public sealed class ClusterClock(IGrainFactory grains, Instant start) : IMovableClock
{
    private long ticks = Ticks(start);

    public Instant Now => Instant.FromUnixTimeTicks(Volatile.Read(ref ticks));

    public Task<Decision<Answered<Instant>>> Advance(Instant to, RequestKey? key = null) =>
        grains.Ask(all => all.GetGrain<IClockGrain>(0).Advance(to, key), CancellationToken.None);

    /// <summary>Reads the cluster's instant; before that nothing may be decided here.</summary>
    public async Task Join() => Set(await grains.GetGrain<IClockGrain>(0).Start(start));

    internal void Set(Instant now) => Volatile.Write(ref ticks, Math.Max(Ticks(now), Volatile.Read(ref ticks)));

    private static long Ticks(Instant instant) => instant.ToUnixTimeTicks();
}
