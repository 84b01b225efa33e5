using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Standalone;

/// <summary>A clock that is moved by hand (T4). Where it stands is in the store, so that a restart does not turn it back.</summary>
internal sealed class TestClock : IMovableClock
{
    private const string Kind = "clock", Id = "test";

    private readonly IStore store;
    private readonly Func<Task> settle;
    private readonly SemaphoreSlim moving = new(1, 1);
    private long version;
    private Standing standing;

    private TestClock(IStore store, Func<Task> settle, long version, Instant now)
    {
        this.store = store;
        this.settle = settle;
        this.version = version;
        standing = new(now);
    }

    private sealed record Standing(Instant Now);

    public Instant Now => Volatile.Read(ref standing).Now;

    /// <summary>The clock of a store, at <paramref name="start"/> or where it stood if that is later.</summary>
    /// <param name="settle">Processes what has fallen due.</param>
    public static async Task<TestClock> Open(IStore store, Instant start, Func<Task> settle)
    {
        var document = await store.Document(Kind, Id);
        var stood = document is null ? Instant.MinValue : Json.Read<Instant>(document.Body);
        var clock = new TestClock(store, settle, document?.Version ?? 0, Instant.Max(stood, Calendar.InMicroseconds(start)));
        await clock.Keep(clock.Now);
        return clock;
    }

    public async Task<bool> Advance(Instant to)
    {
        await moving.WaitAsync();
        try
        {
            var instant = Calendar.InMicroseconds(to);
            if (instant < Now) return false;
            await Keep(instant);
            Volatile.Write(ref standing, new(instant));
            await settle();
            return true;
        }
        finally
        {
            moving.Release();
        }
    }

    // Nobody sees an instant that a restart could take back.
    private async Task Keep(Instant instant)
    {
        if (await store.Commit(new(new DocumentWrite(Kind, Id, version, Json.Write(instant), Kind, instant, null), Changes.None)) is not CommitResult.Done)
        {
            version = (await store.Document(Kind, Id))?.Version ?? 0;
            throw new StoreUnavailableException("The clock could not be kept.");
        }
        version++;
    }
}
