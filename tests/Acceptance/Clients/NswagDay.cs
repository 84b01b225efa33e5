using Nswag;

/// <summary>A whole day with the client of NSwag.</summary>
internal static class NswagDay
{
    private const string ContractId = "day-nswag";

    public static async Task Live(HttpClient http)
    {
        var api = new Client(http);
        await api.PutContractAsync(ContractId, null, null, new()
        {
            ClientId = "day-nswag", Name = "A day", Type = ContractBodyType.Metered, StartsOn = new(2020, 1, 1),
            BillingCycle = new() { Unit = BillingCycleBodyUnit.Month, Credits = 5, Anchor = new(2020, 1, 31) },
        });
        var users = await api.PutContractUsersAsync(ContractId, null, null, new() { Users = [new() { UserId = "ana", Name = "Ana" }, new() { UserId = "bo", Name = "Bo" }] });
        Same(2, users.Items.Count);
        var lot = await api.PostContractLotsAsync(ContractId, "day-nswag-1", new() { PaymentId = "INV-1", Quantity = 20 });
        Same(LotDocumentSource.Purchase, lot.Source);

        var today = (await api.GetContractAllocationsAsync(ContractId, null, null)).Today;
        var preview = await api.PostContractAllocationsPreviewAsync(ContractId, null, new()
        {
            Enabled = true,
            Users =
            [
                new() { UserId = "ana", Amount = 2, Renewal = AllocationBodyUserRenewal.Weekly, On = "monday", StartDate = today },
                new() { UserId = "bo", Amount = 3, Renewal = AllocationBodyUserRenewal.Monthly, On = 31, ExtraCredits = 1 },
            ],
        });
        Same(WarningCode.NoCreditsUntil, preview.Warnings!.Single(warning => warning.UserId == "bo").Code);
        var window = await api.PostContractAllocationsConfirmAsync(ContractId, null, new() { ConfirmationToken = preview.ConfirmationToken! });
        Same("monday,31", string.Join(',', window.Users.Select(user => user.On)));

        ReportBody Report(string id, params string[] players) =>
            new() { ReportId = id, ContractId = ContractId, UserId = "ana", Players = [.. players.Select(player => new ReportBodyPlayer { PlayerId = player })] };
        var rehearsed = Report("R1", "p1", "p2");
        rehearsed.DryRun = true;
        Same(null, (await api.PostReportsAsync(null, rehearsed)).Refusal);
        var made = await api.PostReportsAsync(null, Report("R1", "p1", "p2"));
        Same(2, made.Charged);
        Same(made.At, (await api.PostReportsAsync(null, Report("R1", "p1", "p2"))).At);
        try
        {
            await api.PostReportsAsync(null, Report("R2", "p3"));
            throw new InvalidOperationException("a report beyond the allocation was made");
        }
        catch (ApiException<Problem> refused)
        {
            Same(ProblemCode.InsufficientAllocation, refused.Result.Code);
            Same(0, refused.Result.UserAvailable);
        }

        var credit = await api.PatchCreditAsync(made.Players.First().CreditId!, null, null, null, new() { Status = CreditBodyStatus.UNALLOCATED, Reason = "by mistake" });
        Same(null, credit.PlayerId);
        var allocated = await api.GetCreditsAsync(null, ContractId, Status.ALLOCATED, null, null, null, null, null, null, null, null);
        Same("p2", string.Join(',', allocated.Items.Select(item => item.PlayerId)));
        var audit = await api.GetContractAuditAsync(ContractId, null, null);
        Same((true, 1L), (audit.Balanced, audit.Used));
    }

    private static void Same<T>(T expected, T actual)
    {
        if (!Equals(expected, actual)) throw new InvalidOperationException($"expected {expected}, got {actual}");
    }
}
