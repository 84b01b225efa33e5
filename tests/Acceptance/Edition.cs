namespace CreditGrains.Acceptance;

/// <summary>How an edition is started; each null: not at all.</summary>
/// <param name="TestClock">Where the test clock stands at first.</param>
/// <param name="ApiKeys">A file of keys.</param>
/// <param name="MaxFileBytes">The most that any of its files may hold: its disk is full then.</param>
internal sealed record EditionOptions(string? TestClock = null, string? ApiKeys = null, long? MaxFileBytes = null);

/// <summary>One running edition of the product with data of its own. What is asked of it goes over HTTP only, so that each edition passes the very same stories.</summary>
internal abstract class Edition : IAsyncDisposable
{
    /// <summary>Says it by HTTP.</summary>
    public abstract Api Api { get; }

    /// <summary>An edition that is ready to serve: <c>CREDITGRAINS_EDITION</c> says which, <c>cluster</c> or, by default, <c>standalone</c>.</summary>
    public static async Task<Edition> Start(EditionOptions? options = null)
    {
        var edition = Environment.GetEnvironmentVariable("CREDITGRAINS_EDITION") == "cluster" ? await ClusterEdition.New() : new StandaloneEdition();
        try
        {
            await edition.Restart(options ?? new());
            return edition;
        }
        catch
        {
            await edition.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it as an operator does, and waits for its end.</summary>
    public abstract Task Stop();

    /// <summary>Ends it at once, as a power cut does.</summary>
    public abstract Task Kill();

    /// <summary>Starts it again on the same data and address, and returns when it is ready.</summary>
    public abstract Task Restart(EditionOptions options);

    public abstract ValueTask DisposeAsync();
}
