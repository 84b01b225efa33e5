using System.Net;

namespace CreditGrains.Bench;

/// <summary>Whether a system answers rightly, before it is timed.</summary>
internal static class Checks
{
    /// <summary>Throws <see cref="WrongAnswerException"/> where it does not.</summary>
    public static async Task Pass(SystemUnderTest system, Client client)
    {
        Expect("two new players are charged", await Report("check-1", "ada", "bo"), HttpStatusCode.Created, charged: 2, covered: 0);
        Expect("a covered player is free", await Report("check-2", "ada", "cy"), HttpStatusCode.Created, charged: 1, covered: 1);
        Expect("all are covered", await Report("check-3", "ada", "bo", "cy"), HttpStatusCode.Created, charged: 0, covered: 3);

        // The second time proves that the first covered nobody.
        for (var time = 1; time <= 2; time++)
        {
            var refused = await client.TryReport("check-4", Contracts.PoorId, ["dee"]);
            Require("an empty pool refuses", refused is { Status: HttpStatusCode.PaymentRequired, Code: "insufficient-contract-credits" }, refused);
        }

        if (system.Abilities.HasFlag(Abilities.Replay))
        {
            var again = await Report("check-1", "ada", "bo");
            Expect("a report is replayed", again, HttpStatusCode.OK, charged: 2, covered: 0);
            Require("a replay says so", again.IsReplayed, again);
        }
        if (system.Abilities.HasFlag(Abilities.DryRun))
        {
            Expect("a dry run tells what would happen", await DryRun("check-5", "dee", "ada"), HttpStatusCode.OK, charged: 1, covered: 1);
            Expect("a dry run changes nothing", await DryRun("check-5", "dee", "ada"), HttpStatusCode.OK, charged: 1, covered: 1);
        }

        Task<Reply> Report(string reportId, params string[] players) => client.TryReport(reportId, Contracts.Check, players);

        Task<Reply> DryRun(string reportId, params string[] players) => client.TryReport(reportId, Contracts.Check, players, dryRun: true);

        void Expect(string what, Reply reply, HttpStatusCode status, int charged, int covered) =>
            Require(what, reply.Status == status && reply.Charged == charged && reply.Covered == covered, reply);

        void Require(string what, bool holds, Reply reply)
        {
            if (!holds) throw new WrongAnswerException($"{system.Name}: {what}, but it answered {(int)reply.Status} {reply.Body}");
        }
    }
}
