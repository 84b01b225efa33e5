using System.Globalization;
using System.Net;

namespace CreditGrains.Cli;

/// <summary>Makes what a replay needs where it is not there yet: the contract (metered, UTC, open-ended), its user and one lot with a credit for every player mention.</summary>
internal sealed record Setup(Service Service, string ClientId, string ContractId, string UserId)
{
    private const string Lot = "replay";

    public async Task Run(IReadOnlyList<ReportLine> reports, CancellationToken stop)
    {
        var contract = $"v1/contracts/{Uri.EscapeDataString(ContractId)}";
        if ((await Service.Get(contract, stop)).Status == HttpStatusCode.NotFound)
        {
            Service.Expect(await Service.Send(HttpMethod.Put, contract, new
            {
                clientId = ClientId,
                name = ContractId,
                type = "metered",
                timeZone = "UTC",
                startsOn = reports.Min(report => report.At).UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                endsOn = (string?)null,
                unallocatedLifetimeDays = (int?)null,
            }, stop));
        }

        var users = await Service.List($"{contract}/users", stop);
        if (!users.Any(user => (string?)user["userId"] == UserId))
            Service.Expect(await Service.Send(HttpMethod.Put, $"{contract}/users/{Uri.EscapeDataString(UserId)}", new { name = UserId }, stop));

        var lots = await Service.List($"{contract}/lots", stop);
        if (!lots.Any(lot => (string?)lot["lotId"] == Lot))
            Service.Expect(await Service.Send(HttpMethod.Post, $"{contract}/lots", new { lotId = Lot, paymentId = Lot, quantity = reports.Sum(report => (long)report.Players.Count) }, stop));
    }
}
