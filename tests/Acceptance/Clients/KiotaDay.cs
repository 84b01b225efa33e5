using Kiota;
using Kiota.Models;
using Microsoft.Kiota.Abstractions;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary;

/// <summary>A whole day with the client of Kiota.</summary>
internal static class KiotaDay
{
    private const string ContractId = "day-kiota";

    public static async Task Live(HttpClient http)
    {
        var api = new KiotaClient(new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http) { BaseUrl = http.BaseAddress!.ToString().TrimEnd('/') }).V1;
        var contract = api.Contracts[ContractId];
        await contract.PutAsync(new()
        {
            ClientId = "day-kiota", Name = "A day", Type = ContractBody_type.Metered, StartsOn = new Date(2020, 1, 1),
            BillingCycle = new() { Unit = BillingCycleBody_unit.Month, Credits = 5, Anchor = new Date(2020, 1, 31) },
        });
        var users = await contract.Users.PutAsync(new() { Users = [new() { UserId = "ana", Name = "Ana" }, new() { UserId = "bo", Name = "Bo" }] });
        Same(2, users!.Items!.Count);
        var lot = await contract.Lots.PostAsync(new() { PaymentId = "INV-1", Quantity = 20 }, request => request.Headers.Add("Idempotency-Key", "day-kiota-1"));
        Same(LotDocument_source.Purchase, lot!.Source);

        var today = (await contract.Allocations.GetAsync())!.Today;
        var preview = await contract.Allocations.Preview.PostAsync(new()
        {
            Enabled = true,
            Users =
            [
                new() { UserId = "ana", Amount = 2, Renewal = AllocationBodyUser_renewal.Weekly, On = new UntypedString("monday"), StartDate = today },
                new() { UserId = "bo", Amount = 3, Renewal = AllocationBodyUser_renewal.Monthly, On = new UntypedInteger(31), ExtraCredits = 1 },
            ],
        });
        Same(Warning_code.NoCreditsUntil, preview!.Warnings!.Single(warning => warning.UserId == "bo").Code);
        var window = await contract.Allocations.Confirm.PostAsync(new() { ConfirmationToken = preview.ConfirmationToken });
        Same("monday,31", string.Join(',', window!.Users!.Select(user => user.On is UntypedString text ? text.GetValue() : $"{((UntypedInteger)user.On!).GetValue()}")));

        ReportBody Report(string id, params string[] players) =>
            new() { ReportId = id, ContractId = ContractId, UserId = "ana", Players = [.. players.Select(player => new ReportBodyPlayer { PlayerId = player })] };
        var rehearsed = Report("R1", "p1", "p2");
        rehearsed.DryRun = true;
        Same(null, (await api.Reports.PostAsync(rehearsed))!.Refusal);
        var made = await api.Reports.PostAsync(Report("R1", "p1", "p2"));
        Same(2, made!.Charged);
        Same(made.At, (await api.Reports.PostAsync(Report("R1", "p1", "p2")))!.At);
        try
        {
            await api.Reports.PostAsync(Report("R2", "p3"));
            throw new InvalidOperationException("a report beyond the allocation was made");
        }
        catch (Problem refused)
        {
            Same(Problem_code.InsufficientAllocation, refused.Code);
            Same(0, refused.UserAvailable);
        }

        var credit = await api.Credits[made.Players![0].CreditId!].PatchAsync(new() { Status = CreditBody_status.UNALLOCATED, Reason = "by mistake" });
        Same(null, credit!.PlayerId);
        var allocated = await api.Credits.GetAsync(request => (request.QueryParameters.ContractId, request.QueryParameters.StatusAsGetStatusQueryParameterType) = (ContractId, [Kiota.V1.Credits.GetStatusQueryParameterType.ALLOCATED]));
        Same("p2", string.Join(',', allocated!.Items!.Select(item => item.PlayerId)));
        var audit = await contract.Audit.GetAsync();
        Same((true, 1L), (audit!.Balanced, audit.Used));
    }

    private static void Same<T>(T expected, T actual)
    {
        if (!Equals(expected, actual)) throw new InvalidOperationException($"expected {expected}, got {actual}");
    }
}
