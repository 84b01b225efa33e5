using System.Diagnostics.Metrics;

namespace CreditGrains.Stores.Tests;

/// <summary>What a counter has counted since.</summary>
internal sealed class Counted : IDisposable
{
    private readonly MeterListener listener = new();
    private long total;

    public Counted(Counter<long> counter)
    {
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref total, count));
        listener.Start();
        listener.EnableMeasurementEvents(counter);
    }

    public long Total => Interlocked.Read(ref total);

    public void Dispose() => listener.Dispose();
}
