namespace CreditGrains.Domain;

/// <summary>The subjects of ledger entries: a kind, a colon and a key.</summary>
public static class Subjects
{
    private const string CreditPrefix = "credit:";

    public static string Contract(string contractId) => $"contract:{contractId}";

    /// <summary>A lot, or the credit that lies apart from it (P5).</summary>
    public static string Lot(string contractId, Lot lot) => lot.Apart == 0 ? Lot(contractId, lot.LotId) : Credit(new(contractId, lot.LotId, lot.Apart));

    public static string Lot(string contractId, string lotId) => $"lot:{Domain.Lot.Key(contractId, lotId, 0)}";

    public static string Credit(CreditId id) => $"{CreditPrefix}{id}";

    public static bool IsCredit(string subject) => subject.StartsWith(CreditPrefix, StringComparison.Ordinal);

    /// <summary>The credit of a subject; null: the subject is something else.</summary>
    public static CreditId? AsCredit(string subject) => IsCredit(subject) ? CreditId.Parse(subject[CreditPrefix.Length..]) : null;

    /// <summary>A user of a client.</summary>
    public static string User(string userId) => $"user:{userId}";

    /// <summary>A user of a contract.</summary>
    public static string User(string contractId, string userId) => User($"{new AllocationKey(contractId, userId)}");

    /// <summary>A report of a client.</summary>
    public static string Report(string reportId) => $"report:{reportId}";

    public static string Account(string accountId) => $"account:{accountId}";

    public static string Purchase(string accountId, string purchaseId) => $"purchase:{accountId}~{purchaseId}";

    public static string Project(string projectId) => $"project:{projectId}";

    public static string Milestone(string milestoneId) => $"milestone:{milestoneId}";

    public const string ServicesSettings = "settings:services-credits";
}

/// <summary>The causes of ledger entries (G1).</summary>
public static class Causes
{
    /// <summary>A caller asked for it.</summary>
    public const string Request = "request";

    /// <summary>Something expired.</summary>
    public const string Expiry = "expiry";

    /// <summary>A cycle began.</summary>
    public const string Renewal = "renewal";

    /// <summary>A user was assigned (A9, A11).</summary>
    public const string Assignment = "assigned";

    /// <summary>A milestone's holding was adjusted (S3).</summary>
    public const string Adjustment = "adjustment";

    /// <summary>A preview was confirmed (A7).</summary>
    public static string Confirmation(string token) => $"confirm:{token}";

    public static string Report(string reportId) => $"report:{reportId}";

    /// <summary>A report was voided (R7).</summary>
    public static string Void(string reportId) => $"void:{reportId}";

    /// <summary>A hold was captured (R8).</summary>
    public static string Capture(string reportId) => $"capture:{reportId}";

    /// <summary>A hold ended without being captured (R8).</summary>
    public static string HoldEnd(string reportId) => $"hold:{reportId}";
}
