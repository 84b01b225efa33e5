using Nswag;

/// <summary>A whole day with the client of NSwag.</summary>
internal static class NswagDay
{
    private const string ContractId = "day-nswag";

    public static async Task Live(HttpClient http)
    {
        var api = new Client(http);
        await api.PutContractAsync(ContractId, new()
        {
            ClientId = "day-nswag", Name = "A day", Type = ContractBodyType.Metered, StartsOn = new(2020, 1, 1),
            BillingCycle = new() { Unit = BillingCycleBodyUnit.Month, Credits = 5, Anchor = new(2020, 1, 31) },
        });
        var users = await api.PutContractUsersAsync(ContractId, new() { Users = [new() { UserId = "ana", Name = "Ana" }, new() { UserId = "bo", Name = "Bo" }] });
        Same(2, users.Items.Count);
        var lot = await api.PostContractLotsAsync(ContractId, new() { PaymentId = "INV-1", Quantity = 20 }, idempotency_Key: "day-nswag-1");
        Same(LotDocumentSource.Purchase, lot.Source);

        var today = (await api.GetContractAllocationsAsync(ContractId)).Today;
        var preview = await api.PostContractAllocationsPreviewAsync(ContractId, body: new()
        {
            Enabled = true,
            Users =
            [
                new() { UserId = "ana", Amount = 2, Renewal = AllocationBodyUserRenewal.Weekly, On = "monday", StartDate = today },
                new() { UserId = "bo", Amount = 3, Renewal = AllocationBodyUserRenewal.Monthly, On = 31, ExtraCredits = 1 },
            ],
        });
        Same(WarningCode.NoCreditsUntil, preview.Warnings!.Single(warning => warning.UserId == "bo").Code);
        var window = await api.PostContractAllocationsConfirmAsync(ContractId, new() { ConfirmationToken = preview.ConfirmationToken! });
        Same("monday,31", string.Join(',', window.Users.Select(user => user.On)));

        ReportBody Report(string id, params string[] players) =>
            new() { ReportId = id, ContractId = ContractId, UserId = "ana", Players = [.. players.Select(player => new ReportBodyPlayer { PlayerId = player })] };
        var rehearsed = Report("R1", "p1", "p2");
        rehearsed.DryRun = true;
        Same(null, (await api.PostReportsAsync(rehearsed)).Refusal);
        var made = await api.PostReportsAsync(Report("R1", "p1", "p2"));
        Same(2, made.Charged);
        Same(made.At, (await api.PostReportsAsync(Report("R1", "p1", "p2"))).At);
        try
        {
            await api.PostReportsAsync(Report("R2", "p3"));
            throw new InvalidOperationException("a report beyond the allocation was made");
        }
        catch (ApiException<Problem> refused)
        {
            Same(ProblemCode.InsufficientAllocation, refused.Result.Code);
            Same(0, refused.Result.UserAvailable);
        }

        var credit = await api.PatchCreditAsync(made.Players.First().CreditId!, new() { Status = CreditBodyStatus.UNALLOCATED, Reason = "by mistake" });
        Same(null, credit.PlayerId);
        var allocated = await api.GetCreditsAsync(contractId: ContractId, playerId: "p2");
        Same("p2", string.Join(',', allocated.Items.Select(item => item.PlayerId)));
        var audit = await api.GetContractAuditAsync(ContractId);
        Same((true, 1L), (audit.Balanced, audit.Used));
    }

    private static void Same<T>(T expected, T actual)
    {
        if (!Equals(expected, actual)) throw new InvalidOperationException($"expected {expected}, got {actual}");
    }
}
