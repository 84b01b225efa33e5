using System.CommandLine;
using System.CommandLine.Invocation;

namespace CreditGrains.Cli;

/// <summary>What was given cannot be used: the arguments, or a file, whose line the message names.</summary>
internal sealed class InputException(string message) : Exception(message);

/// <summary>The <c>credits</c> command. Exit code 0: all is well; 1: something was refused, does not balance or could not be reached; 2: the input cannot be used.</summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = new RootCommand("Replays reports into CreditGrains, audits and exports its books, voids reports and makes its API keys.")
        {
            ReplayCommand.Create(),
            AuditCommand.Create(),
            ExportCommands.Statement(),
            ExportCommands.Export(),
            VoidCommand.Create(),
            KeysCommand.Create(),
        }.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            var faults = string.Join(' ', parsed.Errors.SelectMany(fault => fault.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
            error.WriteLine($"credits: {faults} See --help.");
            return 2;
        }
        try
        {
            return await parsed.InvokeAsync(new() { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        }
        catch (InputException e)
        {
            error.WriteLine($"credits: {e.Message}");
            return 2;
        }
        catch (ServiceException e)
        {
            error.WriteLine($"credits: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("credits: stopped.");
            return 1;
        }
    }
}

/// <summary>Where the service is, and the key to it.</summary>
internal sealed class ServiceOptions
{
    private const string KeyVariable = "CREDITGRAINS_KEY";

    private readonly Option<string> url = new("--url") { Description = "The service's address.", DefaultValueFactory = _ => "http://127.0.0.1:5080" };
    private readonly Option<string?> key = new("--key") { Description = $"An API key; {KeyVariable} where it is left out." };

    public void AddTo(Command command)
    {
        command.Add(url);
        command.Add(key);
    }

    public Service Open(ParseResult parsed)
    {
        var given = parsed.GetValue(url)!;
        if (!Uri.TryCreate(given, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) throw new InputException($"--url {given} is not an http address.");
        return new(address, parsed.GetValue(key) ?? Environment.GetEnvironmentVariable(KeyVariable));
    }
}
