using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime.Text;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The columns of each row, and what they are read into.</summary>
internal static class Rows
{
    public const string Document = "kind, id, version, body, as_of";

    public const string Lot = "l.lot_id, l.source, l.payment_id, l.quantity, l.free, l.created_at, l.available_from, l.asked_expiry, l.expires_at, l.expiry_booked, l.request, l.apart";

    /// <summary>Of credits c and their lots l.</summary>
    public const string Credit = """
        l.contract_id, l.lot_id, c.ordinal, c.client_id, l.payment_id, c.used_by, c.player_id, c.player_name, c.created_at, c.expires_at, c.activated_at, c.report_id,
        c.is_current, c.expiry_booked, c.version, c.used_of
        """;

    /// <summary>Of members m.</summary>
    public const string Member = """
        m.user_id, m.name, m.assigned, exists (select 1 from disabled_users d where d.client_id = m.client_id and d.user_id = m.user_id),
        m.settings, m.start_date, m.restarts, m.cycle, m.used_in_cycle, m.extra_credits, m.extra_used, m.total_used
        """;

    public const string Entry = "entry_id, kind, effective_at, booked_at, actor, reason, cause, subject, quantity, before, after, client_id, contract_id, user_id, report_id, lot_id, used_of, services_credits, account_id";

    /// <summary>A lot's key, or that of a credit apart from its lot, which is the credit's id: keys sort as the ids of their credits do.</summary>
    public static string LotKey(string contractId, string lotId, long apart = 0) => Domain.Lot.Key(contractId, lotId, apart) + (apart == 0 ? "~" : "");

    public static string? Settings(Allocation allocation) => allocation.Settings is { } settings ? Json.Write(settings) : null;

    public static string? StartDate(Allocation allocation) => allocation.StartDate is { } date ? LocalDatePattern.Iso.Format(date) : null;

    public static Document ReadDocument(Statement row) => new(row.Text(), row.Text(), row.Number(), row.Text(), row.Instant());

    public static Lot ReadLot(Statement row) => new(
        row.Text(), Enum.Parse<LotSource>(row.Text()), row.Text(), row.Number(), Runs.Parse(row.Text()), row.Instant(), row.Instant(), row.OptionalInstant(), row.OptionalInstant(),
        row.Flag(), row.OptionalText(), row.Number());

    public static Credit ReadCredit(Statement row) => new(
        new(row.Text(), row.Text(), row.Number()), row.Text(), row.Text(), row.OptionalText(), row.OptionalText(), row.OptionalText(), row.Instant(), row.OptionalInstant(), row.OptionalInstant(),
        row.OptionalText(), row.Flag(), row.Flag(), row.Number(), row.OptionalText());

    public static Member ReadMember(Statement row) => new(row.Text(), row.Text(), row.Flag(), row.Flag())
    {
        Allocation = new(
            row.OptionalText() is { } settings ? Json.Read<Settings>(settings) : null, row.OptionalText() is { } start ? LocalDatePattern.Iso.Parse(start).Value : null,
            (int)row.Number(), (int)row.Number(), row.Number(), row.Number(), row.Number(), row.Number()),
    };

    public static StoredMember ReadStoredMember(Statement row) => new(ReadMember(row), ReadDocument(row));

    public static Report ReadReport(Statement row) => Json.Read<Report>(row.Text());

    public static BookedEntry ReadEntry(Statement row) => new(row.Number(), new Entry
    {
        Kind = Enum.Parse<EntryKind>(row.Text()),
        EffectiveAt = row.Instant(),
        BookedAt = row.Instant(),
        Actor = row.Text(),
        Reason = row.OptionalText(),
        Cause = row.Text(),
        Subject = row.Text(),
        Quantity = row.Number(),
        Before = row.OptionalText(),
        After = row.OptionalText(),
        ClientId = row.Text(),
        ContractId = row.OptionalText(),
        UserId = row.OptionalText(),
        ReportId = row.OptionalText(),
        LotId = row.OptionalText(),
        UsedOf = row.OptionalText(),
        ServicesCredits = row.OptionalNumber() is { } credits ? ServicesCredits.FromTenThousandths(credits) : null,
        AccountId = row.OptionalText(),
    });
}
