using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace CreditGrains.Stores.Tests;

/// <summary>A grain's own state in the embedded store: written over what its writer read, and there after a restart.</summary>
public sealed class SqliteGrainStorageTests : IDisposable
{
    private static readonly GrainId Clock = GrainId.Create("clock", "0");

    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_state_is_written_only_over_the_etag_that_its_writer_read()
    {
        using var store = SqliteStore.Open(directory.Path);
        var storage = new SqliteGrainStorage(store);
        var (one, other) = (new GrainState<ClockState>(new()), new GrainState<ClockState>(new()));
        await storage.ReadStateAsync("clock", Clock, one);
        await storage.ReadStateAsync("clock", Clock, other);
        Assert.False(one.RecordExists);

        one.State = new() { Now = "2026-01-01T00:00:00Z" };
        await storage.WriteStateAsync("clock", Clock, one);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("clock", Clock, other));
        await storage.ReadStateAsync("clock", Clock, other);
        other.State!.Now = "2026-01-02T00:00:00Z";
        await storage.WriteStateAsync("clock", Clock, other);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("clock", Clock, one));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("clock", Clock, one));

        Assert.Equal("2026-01-02T00:00:00Z", (await Stored(store)).State!.Now);
    }

    [Fact]
    public async Task A_state_outlives_the_process_until_it_is_cleared()
    {
        var written = new GrainState<ClockState>(new() { Now = "2026-01-01T00:00:00Z" });
        using (var store = SqliteStore.Open(directory.Path)) await new SqliteGrainStorage(store).WriteStateAsync("clock", Clock, written);

        using var again = SqliteStore.Open(directory.Path);
        var read = await Stored(again);
        Assert.Equal(("2026-01-01T00:00:00Z", written.ETag), (read.State!.Now, read.ETag));
        await new SqliteGrainStorage(again).ClearStateAsync("clock", Clock, read);
        Assert.False((await Stored(again)).RecordExists);
    }

    private static async Task<GrainState<ClockState>> Stored(SqliteStore store)
    {
        var state = new GrainState<ClockState>(new());
        await new SqliteGrainStorage(store).ReadStateAsync("clock", Clock, state);
        return state;
    }
}
