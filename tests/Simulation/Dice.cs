namespace CreditGrains.Simulation;

/// <summary>All the chance of a world: the same seed gives the same throws (SplitMix64).</summary>
internal sealed class Dice(ulong seed)
{
    private ulong state = seed;

    public ulong Throw()
    {
        var mixed = state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>0 up to <paramref name="count"/>, which is excluded.</summary>
    public int Below(int count) => (int)(Throw() % (ulong)count);

    /// <summary>Both ends included.</summary>
    public int Between(int least, int most) => least + Below(most - least + 1);

    public bool Chance(double probability) => probability > 0 && (Throw() >> 11) * (1.0 / (1UL << 53)) < probability;

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + TimeSpan.FromTicks((long)(Throw() % (ulong)(most.Ticks - least.Ticks + 1)));

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
