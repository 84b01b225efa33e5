using System.CommandLine;
using Spectre.Console;

namespace CreditGrains.Cli;

/// <summary>What was audited: the service's answers for contracts, and for accounts.</summary>
internal sealed record Audits(IReadOnlyList<Answer> Contracts, IReadOnlyList<Answer> Accounts);

/// <summary><c>credits audit</c>: says whether the books of contracts and accounts balance (G2).</summary>
internal static class AuditCommand
{
    // Wide enough for every row, so that none is broken where the output is a file.
    private const int Width = 250;

    private static readonly string[] OfContract = ["granted", "minted", "unallocated", "allocated", "expired", "withdrawn"],
        OfAccount = ["bought", "available", "allocated", "expired"];

    public static Command Create()
    {
        var contracts = new Argument<string[]>("CONTRACT") { Description = "The contracts to audit.", Arity = ArgumentArity.ZeroOrMore };
        var accounts = new Option<string[]>("--account") { Description = "An account to audit; may be given several times." };
        var client = new Option<string?>("--client") { Description = "Audits all contracts and accounts of this client." };
        var full = new Option<bool>("--full")
        {
            Description = "Adds up every entry and counts every row of the contracts, instead of starting from their last checkpoints.",
        };
        var service = new ServiceOptions();

        var command = new Command("audit", "Recomputes contracts and accounts from their ledger and compares.") { contracts, accounts, client, full };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var (named, services) = (parsed.GetValue(contracts)!, parsed.GetValue(accounts) ?? []);
            if (named.Length + services.Length == 0 == parsed.GetValue(client) is null)
                throw new InputException("audit needs either contracts and accounts, or --client.");

            using var open = service.Open(parsed);
            return Write(await Audit(open, named, services, parsed.GetValue(client), parsed.GetValue(full), stop), parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    /// <summary>Asks for the audits of these contracts and accounts, or of all of a client; throws where one is not there.</summary>
    internal static async Task<Audits> Audit(
        Service service, IEnumerable<string> contracts, IEnumerable<string> accounts, string? client, bool isFull, CancellationToken stop)
    {
        if (client is not null)
        {
            contracts = await Ids("contract", client);
            accounts = await Ids("account", client);
            if (!contracts.Concat(accounts).Any()) throw new ServiceException($"There is no contract or account of a client {client}.");
        }
        return new(await All("contracts", contracts, isFull ? "?full=true" : ""), await All("accounts", accounts));

        async Task<List<string>> Ids(string kind, string owner) => [..
            (await service.List($"v1/{kind}s?clientId={Uri.EscapeDataString(owner)}", stop)).Select(one => (string)one[$"{kind}Id"]!)];

        async Task<List<Answer>> All(string kind, IEnumerable<string> ids, string query = "")
        {
            var audits = new List<Answer>();
            foreach (var id in ids) audits.Add(Service.Expect(await service.Get($"v1/{kind}/{Uri.EscapeDataString(id)}/audit{query}", stop)));
            return audits;
        }
    }

    /// <summary>The exit code: 0 where all books balance, 1 where some do not.</summary>
    internal static int Write(Audits audits, TextWriter output)
    {
        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Width;
        if (audits.Contracts.Count > 0) console.Write(Contracts(audits.Contracts));
        if (audits.Accounts.Count > 0) console.Write(Accounts(audits.Accounts));

        foreach (var audit in audits.Contracts.Concat(audits.Accounts))
            foreach (var difference in audit.Items("differences"))
                output.WriteLine(
                    $"{audit.Text("contractId") ?? audit.Text("accountId")}: {difference!["subject"]} {difference["what"]} is {difference["fromState"]}, the entries make {difference["fromEntries"]}");
        return audits.Contracts.Concat(audits.Accounts).Any(Differs) ? 1 : 0;
    }

    private static Table Contracts(IEnumerable<Answer> audits)
    {
        var table = Empty(["contract"], OfContract);
        foreach (var audit in audits)
            table.AddRow([Markup.Escape(audit.Text("contractId")!), .. OfContract.Select(audit.Digits), Books(audit)]);
        return table;
    }

    // A row a currency; an account that has bought nothing has one without.
    private static Table Accounts(IEnumerable<Answer> audits)
    {
        var table = Empty(["account", "currency"], OfAccount);
        foreach (var audit in audits)
        {
            var id = Markup.Escape(audit.Text("accountId")!);
            var currencies = audit.Items("currencies").Select(currency => new Answer(audit.Status, currency)).ToList();
            if (currencies.Count == 0) table.AddRow([id, "", .. OfAccount.Select(_ => ""), Books(audit)]);
            foreach (var currency in currencies)
                table.AddRow([id, Markup.Escape(currency.Text("currency")!), .. OfAccount.Select(currency.Digits), Books(audit)]);
        }
        return table;
    }

    private static Table Empty(string[] names, string[] numbers)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var name in names) table.AddColumn(name);
        foreach (var number in numbers) table.AddColumn(new TableColumn(number).RightAligned());
        return table.AddColumn("books");
    }

    private static bool Differs(Answer audit) => audit.Items("differences").Any();

    private static string Books(Answer audit) => Differs(audit) ? "[red]differ[/]" : "balance";
}
