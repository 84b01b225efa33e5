using Orleans.Runtime;

namespace CreditGrains.Grains.Hosting;

/// <summary>The keys that protect what browsers keep for the console: the same for every silo, so that any may answer.</summary>
public interface IKeyRingGrain : IGrainWithIntegerKey
{
    /// <summary>The keys, each as XML, in the order in which they came.</summary>
    Task<string[]> Read();

    Task Add(string xml);
}

/// <summary>What is stored of the key ring.</summary>
[GenerateSerializer]
public sealed class KeyRingState
{
    [Id(0)]
    public List<string> Keys { get; set; } = [];
}

/// <inheritdoc cref="IKeyRingGrain"/>
public sealed class KeyRingGrain(IGrainContext context, [PersistentState("creditgrains-keyring")] IPersistentState<KeyRingState> state) : IKeyRingGrain, IGrainBase
{
    public IGrainContext GrainContext => context;

    public Task<string[]> Read() => Task.FromResult(state.State.Keys.ToArray());

    public Task Add(string xml)
    {
        state.State.Keys.Add(xml);
        return state.WriteStateAsync();
    }
}
