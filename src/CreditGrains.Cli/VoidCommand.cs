using System.CommandLine;

namespace CreditGrains.Cli;

/// <summary><c>credits void</c>: gives back what a report charged (R7). It may be repeated: the answer is the same.</summary>
internal static class VoidCommand
{
    public static Command Create()
    {
        var report = new Argument<string>("REPORT") { Description = "The report to void." };
        var players = new Argument<string[]>("PLAYER") { Description = "The players whose credits go back; none: all.", Arity = ArgumentArity.ZeroOrMore };
        var reason = new Option<string>("--reason") { Description = "Why, for the ledger.", Required = true };
        var client = new Option<string?>("--client") { Description = "Whose report it is; a key of one client need not say it." };
        var service = new ServiceOptions();

        var command = new Command("void", "Gives back the credits that a report charged and still has.") { report, players, reason, client };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            using var open = service.Open(parsed);
            var answer = await Void(open, parsed.GetValue(report)!, parsed.GetValue(players)!, parsed.GetValue(reason)!, parsed.GetValue(client), stop);
            Write(answer, parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    internal static async Task<Answer> Void(
        Service service, string report, IReadOnlyCollection<string> players, string reason, string? client, CancellationToken stop)
    {
        var query = client is null ? "" : $"?clientId={Uri.EscapeDataString(client)}";
        object body = players.Count == 0 ? new { reason } : new { players, reason };
        return Service.Expect(await service.Send(HttpMethod.Post, $"v1/reports/{Uri.EscapeDataString(report)}/void{query}", body, stop));
    }

    internal static void Write(Answer answer, TextWriter output)
    {
        foreach (var given in answer.Items("givenBack")) output.WriteLine($"{given!["playerId"]}  {given["creditId"]}  {given["at"]}");
        output.WriteLine($"{answer.Text("reportId")}: {answer.Items("givenBack").Count()} given back");
    }
}
