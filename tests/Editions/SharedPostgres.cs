namespace CreditGrains.Editions;

/// <summary>The one PostgreSQL of a run's tests, each of which has a database of its own; it ends with them.</summary>
public sealed class SharedPostgres : IAsyncDisposable
{
    private static readonly Lazy<Task<ScratchPostgres>> Server = new(ScratchPostgres.New);

    /// <summary>The connection string of a new, empty database.</summary>
    public static async Task<string> NewDatabase() => await (await Server.Value).NewDatabase();

    public async ValueTask DisposeAsync()
    {
        if (Server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) await (await Server.Value).DisposeAsync();
    }
}
