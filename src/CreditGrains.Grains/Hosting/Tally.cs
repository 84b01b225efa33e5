using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace CreditGrains.Grains.Hosting;

/// <summary>
/// A counter with one tag. It is exported from the start, with 0 for each value that is known beforehand: an alert on its rise sees the first one, too.
/// </summary>
public sealed class Tally
{
    private readonly ConcurrentDictionary<string, StrongBox<long>> counts;
    private readonly string tag;

    public Tally(Meter meter, string name, string description, string tag, params IEnumerable<string> values)
    {
        this.tag = tag;
        counts = new(values.Select(value => KeyValuePair.Create(value, new StrongBox<long>())));
        meter.CreateObservableCounter(name, Observe, description: description);
    }

    /// <summary>Counts one more, or several.</summary>
    public void Add(string value, long count = 1) => Interlocked.Add(ref counts.GetOrAdd(value, _ => new()).Value, count);

    private IEnumerable<Measurement<long>> Observe() => counts.Select(
        count => new Measurement<long>(Volatile.Read(ref count.Value.Value), KeyValuePair.Create<string, object?>(tag, count.Key)));
}
