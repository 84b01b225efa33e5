using CreditGrains.Domain;
using CreditGrains.Editions;
using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;
using CreditGrains.Stores.Postgres;
using Microsoft.AspNetCore.Builder;
using Npgsql;

namespace CreditGrains.Acceptance;

/// <summary>A silo of this process, at an address of its own that it keeps through restarts.</summary>
internal sealed class HostedSilo(ServerOptions store)
{
    private WebApplication? app;

    // Stories print what matters.
    static HostedSilo() => Environment.SetEnvironmentVariable("Logging__Console__LogLevel__Default", "None");

    public string Url { get; } = $"http://127.0.0.1:{Child.FreePort()}";

    public async Task Start(EditionOptions options)
    {
        await Stop();
        app = await SiloHost.Build(store with
        {
            Urls = Url,
            TestClock = options.TestClock is { } clock ? Calendar.ReadInstant(clock) : null,
            ApiKeys = options.ApiKeys,
            JwtAuthority = options.Tokens?.Authority,
            JwtAudience = options.Tokens?.Audience,
            JwtKeys = options.Tokens?.KeysFile,
        });
        await app.StartAsync();
    }

    /// <summary>Archives what was booked before an instant.</summary>
    public Task Archive(string before) => SiloHost.CarryOut(ServerCommand.Archive, store with { Before = Calendar.ReadInstant(before)!.Value });

    /// <summary>Ends it as a signal does; again is harmless.</summary>
    public async Task Stop()
    {
        if (app is not { } started) return;
        app = null;
        await started.StopAsync();
        await started.DisposeAsync();

        // Orleans' providers never close theirs, and a hundred stories would keep two hundred of them.
        if (store.Postgres is { } postgres) NpgsqlConnection.ClearPool(new(new PostgresPools(postgres).Orleans));
    }
}
