using System.CommandLine;
using CreditGrains.Domain;
using CreditGrains.Standalone;
using CreditGrains.Stores.Sqlite;

var urls = new Option<string>("--urls") { Description = "Where to listen, separated by semicolons.", DefaultValueFactory = _ => "http://127.0.0.1:5080" };
var data = new Option<string>("--data") { Description = "The directory of the data; only one process may use it.", DefaultValueFactory = _ => "./.data" };
var testClock = new Option<NodaTime.Instant?>("--test-clock")
{
    Description = "Use a test clock that starts at this ISO-8601 UTC instant and is moved by POST /v1/clock.",
    CustomParser = given =>
    {
        var instant = Calendar.ReadInstant(given.Tokens.Single().Value);
        if (instant is null) given.AddError("--test-clock needs an ISO-8601 UTC instant, e.g. 2026-03-01T00:00:00Z");
        return instant;
    },
};
var apiKeys = new Option<string?>("--api-keys") { Description = "The file of the API keys, hashed. Without it only this machine is served." };

var command = new RootCommand("CreditGrains, the one-machine edition.") { urls, data, testClock, apiKeys };
command.SetAction(async parsed =>
{
    try
    {
        await using var app = await StandaloneHost.Build(new(parsed.GetValue(urls)!, parsed.GetValue(data)!, parsed.GetValue(testClock), parsed.GetValue(apiKeys)));
        await app.RunAsync();
        return 0;
    }
    catch (Exception e) when (e is DataRefusedException or InvalidDataException)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return 1;
    }
});

// The host itself stops cleanly on SIGTERM and Ctrl-C.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
