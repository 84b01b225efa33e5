namespace CreditGrains.Editions;

/// <summary>Whether the trials are wanted whole, which takes minutes and a machine that does nothing else: CREDITGRAINS_TRIAL=whole.</summary>
public static class Trials
{
    public static bool AreWhole { get; } = Environment.GetEnvironmentVariable("CREDITGRAINS_TRIAL") == "whole";

    public static bool AreShort => !AreWhole;
}
