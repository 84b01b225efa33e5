using CreditGrains.Grains;
using NodaTime.Text;

namespace CreditGrains.Silo;

/// <summary>
/// Once the silo is part of the cluster: takes the test clock's instant and starts the caretaker. Before that the front serves nobody.
/// A message may still be sent to a silo that is gone, such as the one that was at this address before; so what is lost is asked again, for a minute.
/// </summary>
internal sealed class Joining(IBusinessClock clock, IGrainFactory grains, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1), Pause = TimeSpan.FromMilliseconds(250);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var began = time.GetTimestamp(); !await Joined(began); await Task.Delay(Pause, time, cancellationToken))
        {
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> Joined(long began)
    {
        try
        {
            if (clock is ClusterClock shared) await shared.Join();
            else await RefuseTheFuture();
            await grains.GetGrain<ICaretakerGrain>(0).Start();
            return true;
        }
        catch (Exception e) when (Calls.IsLost(e) && time.GetElapsedTime(began) < Patience)
        {
            return false;
        }
    }

    // T4: on the machine's clock nothing could be decided before what the data has been through.
    private async Task RefuseTheFuture()
    {
        if (await grains.GetGrain<IClockGrain>(0).Stands() is { } stands && stands > clock.Now)
            throw new InvalidDataException(
                $"A test clock has moved this data to {InstantPattern.General.Format(stands)}, ahead of the machine's clock: start with --test-clock, or with other data.");
    }
}
