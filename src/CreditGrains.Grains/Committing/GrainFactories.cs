using System.Diagnostics;
using CreditGrains.Domain;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>Every grain by its key.</summary>
public static class GrainFactories
{
    public static IContractGrain Contract(this IGrainFactory grains, string contractId) => grains.GetGrain<IContractGrain>(contractId);

    public static IAllocationGrain Allocation(this IGrainFactory grains, AllocationKey key) => grains.GetGrain<IAllocationGrain>(key.ToString());

    public static IPlayerCreditsGrain PlayerCredits(this IGrainFactory grains, string clientId) => grains.GetGrain<IPlayerCreditsGrain>(clientId);

    public static IUserGrain User(this IGrainFactory grains, UserKey key) => grains.GetGrain<IUserGrain>(key.ToString());

    public static IAccountGrain Account(this IGrainFactory grains, string accountId) => grains.GetGrain<IAccountGrain>(accountId);

    public static IServicesSettingsGrain ServicesSettings(this IGrainFactory grains) => grains.GetGrain<IServicesSettingsGrain>(ServicesSettingsGrain.Id);
}

/// <summary>Calls from outside, which are sent again where that is safe.</summary>
public static class Calls
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25), LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Whether an exception says that a message or its answer was lost, so that nobody knows whether it was carried out.</summary>
    public static bool IsLost(Exception exception) => exception is TimeoutException or OrleansException or ObjectDisposedException;

    /// <summary>Calls a grain; one that has moved is called again, for 25 seconds at most.</summary>
    /// <param name="isIdempotent">Whether it is also called again where the answer was lost.</param>
    /// <param name="gone">Nobody waits for the answer any more.</param>
    public static async Task<T> Ask<T>(this IGrainFactory grains, Func<IGrainFactory, Task<T>> call, CancellationToken gone, bool isIdempotent = false)
    {
        var started = Stopwatch.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await call(grains).WaitAsync(gone);
            }
            catch (Exception e) when ((e is AskAgainException || (isIdempotent && IsLost(e))) && Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(pause, gone);
            }
        }
    }
}
