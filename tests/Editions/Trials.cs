namespace CreditGrains.Editions;

/// <summary>Whether the trials are wanted whole, which takes minutes and a machine that does nothing else: CREDITGRAINS_TRIAL=whole.</summary>
public static class Trials
{
    public static bool AreWhole { get; } = Environment.GetEnvironmentVariable("CREDITGRAINS_TRIAL") == "whole";

    public static bool AreShort => !AreWhole;

    /// <summary>Lets that time pass: what a trial measures, or what is to happen after it.</summary>
    public static async Task After(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }
}
