
namespace CreditGrains.Grains;

/// <summary>Books the end of coverage of player credits, of which there may be millions, by one reminder; its key is 0.</summary>
public interface ISweeperGrain : IGrainWithIntegerKey
{
    /// <summary>Sets its alarm clock; again does nothing.</summary>
    Task Start();

    /// <summary>Books all that is due, page by page; returns when nothing is left.</summary>
    Task Sweep();
}

/// <inheritdoc cref="ISweeperGrain"/>
public sealed class SweeperGrain(IGrainContext context, CoverageSweeper sweeper) : ISweeperGrain, IGrainBase, IRemindable
{
    public IGrainContext GrainContext => context;

    public Task Start() => this.RegisterOrUpdateReminder("sweep", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));

    public async Task Sweep()
    {
        while (await sweeper.Sweep())
        {
        }
    }

    public Task ReceiveReminder(string reminderName, Orleans.Runtime.TickStatus status) => Sweep();
}
