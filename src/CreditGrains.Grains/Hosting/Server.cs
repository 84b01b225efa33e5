using System.Data.Common;
using System.Net.Sockets;
using CreditGrains.Domain;
using Microsoft.Extensions.Hosting;

namespace CreditGrains.Grains.Hosting;

/// <summary>A server's life, from its command line to its end.</summary>
public static class Server
{
    private const string Commands = """
        migrate --postgres CONNECTION brings the schema up to date, tells what it does, and ends.
        archive --before INSTANT moves old entries out of the ledger, tells what it does, and ends; docs/operations.md says what stays.
        """;

    /// <summary>Exit code 0: it was stopped, or told its help or version; 2: it did not start, for the reason on standard error, one sentence.</summary>
    /// <param name="what">What it is, in a line.</param>
    /// <param name="carryOut">Carries out a command, and ends; null: this server has none.</param>
    /// <param name="describe">Its edition, address and data, told when it is ready.</param>
    public static async Task<int> Run<THost>(
        string what, string[] args, Func<ServerOptions, Task<THost>> build, Func<THost, ServerOptions, string> describe,
        Func<ServerCommand, ServerOptions, Task>? carryOut = null)
        where THost : class, IHost, IAsyncDisposable
    {
        if (args is ["--version"])
        {
            Console.WriteLine(Product.Version);
            return 0;
        }
        if (args.Any(arg => arg is "--help" or "-h"))
        {
            Console.WriteLine($"CreditGrains {Product.Version}, {what}. Each option may be in the environment, too: CREDITGRAINS_DATA for --data.\n");
            Console.WriteLine(ServerOptions.Help);
            if (carryOut is not null) Console.WriteLine($"\n{Commands}");
            return 0;
        }

        THost? host = null;
        var act = "start";
        try
        {
            var options = ServerOptions.Read(args);
            if (options.Command is { } command)
            {
                act = command.Word();
                await (carryOut ?? throw new InvalidDataException($"{act} is a command of silos."))(command, options);
                return 0;
            }
            host = await build(options);
            await host.StartAsync();
            Console.WriteLine($"CreditGrains {Product.Version}, {describe(host, options)}, ready");
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"CreditGrains did not {act}: {Sentence(e)}");
            await Abandon(host);
            return 2;
        }
        await host.WaitForShutdownAsync();
        await host.DisposeAsync();
        return 0;
    }

    private static string Sentence(Exception e)
    {
        var innermost = e;
        while (innermost.InnerException is { } inner) innermost = inner;
        var text = e switch
        {
            OperationCanceledException => "it was told to stop before it was ready.",
            DbException => $"the store cannot be opened: {innermost.Message}",
            IOException when innermost is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
                $"--urls: another process has that address; choose another. {e.Message}",
            _ when innermost is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
                "another process has a port of this silo: choose others by --silo-port and --gateway-port.",
            InvalidDataException or IOException or UnauthorizedAccessException => e.Message,
            _ when e.GetType().Namespace!.StartsWith(nameof(CreditGrains), StringComparison.Ordinal) => e.Message,
            _ => $"{e.Message} ({e.GetType().Name})",
        };
        return text.ReplaceLineEndings(" ");
    }

    // It leaves the cluster as far as it has come.
    private static async Task Abandon<THost>(THost? host) where THost : class, IHost, IAsyncDisposable
    {
        if (host is null) return;
        try
        {
            await host.StopAsync();
            await host.DisposeAsync();
        }
        catch (Exception)
        {
            // Why it did not start has been said.
        }
    }
}
