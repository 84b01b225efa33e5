using System.CommandLine;

namespace CreditGrains.Cli;

/// <summary><c>credits statement</c> and <c>credits export</c>: what the service tells as CSV, to the output or a file.</summary>
internal static class ExportCommands
{
    private static readonly string[] Lists =
        ["clients", "users", "contracts", "payments", "reports", "credits", "ledger", "usage", "accounts", "projects", "milestones"];

    public static Command Statement()
    {
        var contract = new Argument<string?>("CONTRACT") { Description = "The contract.", Arity = ArgumentArity.ZeroOrOne };
        var account = new Option<string?>("--account") { Description = "An account instead of a contract." };
        var from = new Option<string?>("--from") { Description = "The first local day; the first of the month where it is left out." };
        var to = new Option<string?>("--to") { Description = "The last local day, included; today where it is left out." };
        var (file, service) = (File(), new ServiceOptions());
        var command = new Command("statement", "Opening, movements and closing between two days, as CSV (G5).") { contract, account, from, to, file };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            if (parsed.GetValue(contract) is null == parsed.GetValue(account) is null)
                throw new InputException("statement needs either a contract or --account.");
            var path = parsed.GetValue(contract) is { } id
                ? $"v1/contracts/{Uri.EscapeDataString(id)}"
                : $"v1/accounts/{Uri.EscapeDataString(parsed.GetValue(account)!)}";
            using var open = service.Open(parsed);
            var days = Path($"{path}/statement", ("from", parsed.GetValue(from)), ("to", parsed.GetValue(to)));
            await Copy(open, days, parsed.GetValue(file), parsed.InvocationConfiguration.Output, stop);
            return 0;
        });
        return command;
    }

    public static Command Export()
    {
        var list = new Argument<string>("LIST") { Description = $"What to export: {string.Join(", ", Lists)}." };
        var filter = new Option<string[]>("--filter") { Description = "A filter of the list, e.g. clientId=acme; may be given several times." };
        var (file, service) = (File(), new ServiceOptions());
        var command = new Command("export", "A whole list as CSV.") { list, filter, file };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var name = parsed.GetValue(list)!;
            if (!Lists.Contains(name)) throw new InputException($"{name} is no list; those are {string.Join(", ", Lists)}.");
            using var open = service.Open(parsed);
            var path = Path($"v1/{name}", (parsed.GetValue(filter) ?? []).Select(Filter));
            await Copy(open, path, parsed.GetValue(file), parsed.InvocationConfiguration.Output, stop);
            return 0;
        });
        return command;
    }

    /// <summary>Copies a CSV as it comes. A file is there only once all of it has come.</summary>
    internal static async Task Copy(Service service, string path, string? file, TextWriter output, CancellationToken stop)
    {
        if (file is null)
        {
            await service.Copy(path, "text/csv", output, stop);
            return;
        }
        var partial = $"{file}.partial";
        try
        {
            await using (var writer = new StreamWriter(partial)) await service.Copy(path, "text/csv", writer, stop);
            System.IO.File.Move(partial, file, overwrite: true);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new InputException($"{file} cannot be written: {e.Message}");
        }
    }

    internal static string Path(string path, params IEnumerable<(string Name, string? Value)> query)
    {
        var given = string.Join('&', query.Where(pair => pair.Value is not null).Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value!)}"));
        return given.Length == 0 ? path : $"{path}?{given}";
    }

    private static (string, string?) Filter(string given) => given.Split('=', 2) is [{ Length: > 0 } name, var value]
        ? (Uri.EscapeDataString(name), value)
        : throw new InputException($"--filter {given} is not NAME=VALUE.");

    private static Option<string?> File() => new("--output", "-o") { Description = "The file to write; the output where it is left out." };
}
