using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace CreditGrains.Cli;

/// <summary><c>credits audit</c>: says whether the books of contracts balance (G2).</summary>
internal static class AuditCommand
{
    // Wide enough for every row, so that none is broken where the output is a file.
    private const int Width = 250;

    private static readonly string[] Columns = ["granted", "minted", "unallocated", "allocated", "expired", "withdrawn"];

    public static Command Create()
    {
        var contracts = new Argument<string[]>("CONTRACT") { Description = "The contracts to audit.", Arity = ArgumentArity.ZeroOrMore };
        var client = new Option<string?>("--client") { Description = "Audits all contracts of this client." };
        var service = new ServiceOptions();

        var command = new Command("audit", "Recomputes contracts from their ledger and compares.") { contracts, client };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var named = parsed.GetValue(contracts)!;
            if (named.Length == 0 == parsed.GetValue(client) is null) throw new InputException("audit needs either contracts or --client.");

            using var open = service.Open(parsed);
            return Write(await Audits(open, named, parsed.GetValue(client), stop), parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    internal static async Task<List<Answer>> Audits(Service service, IEnumerable<string> contracts, string? client, CancellationToken stop)
    {
        if (client is not null)
        {
            var ofClient = await service.List($"v1/contracts?clientId={Uri.EscapeDataString(client)}", stop);
            if (ofClient.Count == 0) throw new ServiceException($"There is no contract of a client {client}.");
            contracts = ofClient.Select(contract => (string)contract["contractId"]!);
        }

        var audits = new List<Answer>();
        foreach (var contract in contracts) audits.Add(Service.Expect(await service.Get($"v1/contracts/{Uri.EscapeDataString(contract)}/audit", stop)));
        return audits;
    }

    internal static int Write(List<Answer> audits, TextWriter output)
    {
        var table = new Table().Border(TableBorder.None).AddColumn("contract");
        foreach (var column in Columns) table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("books");
        foreach (var audit in audits)
            table.AddRow([Markup.Escape(audit.Text("contractId")!), .. Columns.Select(column => audit.Number(column).ToString(CultureInfo.InvariantCulture)), audit.Items("differences").Any() ? "[red]differ[/]" : "balance"]);
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Width;
        console.Write(table);

        foreach (var audit in audits)
            foreach (var difference in audit.Items("differences"))
                output.WriteLine($"{audit.Text("contractId")}: {difference!["subject"]} {difference["what"]} is {difference["fromState"]}, the entries make {difference["fromEntries"]}");
        return audits.Any(audit => audit.Items("differences").Any()) ? 1 : 0;
    }
}
