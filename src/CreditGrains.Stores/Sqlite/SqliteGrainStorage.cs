using System.Globalization;
using CreditGrains.Domain;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace CreditGrains.Stores.Sqlite;

/// <summary>Grain storage (IPersistentState) in the embedded store: a row a grain and state, as JSON, written only where its etag is still the one that was read.</summary>
public sealed class SqliteGrainStorage(SqliteStore store) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var stored = await store.State(stateName, grainId.ToString());
        grainState.State = stored is null ? Activator.CreateInstance<T>() : Json.Read<T>(stored.Body);
        grainState.ETag = stored is null ? null : $"{stored.Version}";
        grainState.RecordExists = stored is not null;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var expected = Version(grainState.ETag);
        var next = new GrainState(Json.Write(grainState.State), expected + 1);
        if (!await store.WriteState(stateName, grainId.ToString(), next, expected)) throw await Changed(stateName, grainId, grainState.ETag);
        grainState.ETag = $"{next.Version}";
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var expected = Version(grainState.ETag);
        if (expected != 0 && !await store.DeleteState(stateName, grainId.ToString(), expected)) throw await Changed(stateName, grainId, grainState.ETag);
        grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static long Version(string? etag) => etag is null ? 0 : long.Parse(etag, CultureInfo.InvariantCulture);

    private async Task<InconsistentStateException> Changed(string stateName, GrainId grainId, string? etag) => new(
        $"The state {stateName} of {grainId} has changed since it was read.", $"{(await store.State(stateName, grainId.ToString()))?.Version}", etag ?? "");
}
