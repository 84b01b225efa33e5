using Orleans.Runtime;

namespace CreditGrains.Grains.Hosting;

/// <summary>The keys that protect what browsers keep for the console: the same for every silo, so that any may answer.</summary>
public interface IKeyRingGrain : IGrainWithIntegerKey
{
    /// <summary>The keys, each as XML, in the order in which they came.</summary>
    Task<string[]> Read();

    /// <summary>Adds a key, unless there are more than its maker knew: silos that start at once find none, and the first one's serves them all.</summary>
    /// <param name="known">How many keys there were when it was made.</param>
    Task Add(string xml, int known);
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

    public Task Add(string xml, int known)
    {
        if (state.State.Keys.Count > known) return Task.CompletedTask;
        state.State.Keys.Add(xml);
        return state.WriteStateAsync();
    }
}
