using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores;

/// <summary>
/// Ledger entries: only ever appended, in the order given, and numbered by the store (<c>entry_id</c>). No fence, no guard.
/// </summary>
internal static class EntryRow
{
    public const string Table = "entry", Alias = "e", Id = "entry_id";

    private static Columns<Entry> Fixed => new(ColumnRole.Fixed);

    /// <summary>All columns but <see cref="Id"/>.</summary>
    public static ImmutableArray<Column<Entry>> Columns { get; } =
    [
        Fixed.Text("kind", entry => entry.Kind.Word()),
        Fixed.Instant("effective_at", entry => entry.EffectiveAt),
        Fixed.Instant("booked_at", entry => entry.BookedAt),
        Fixed.Text("actor", entry => entry.Actor),
        Fixed.Text("reason", entry => entry.Reason),
        Fixed.Text("cause", entry => entry.Cause),
        Fixed.Text("subject", entry => entry.Subject),
        Fixed.Number("quantity", entry => entry.Quantity),
        Fixed.Quantity("services_credits", entry => entry.ServicesCredits),
        Fixed.Json("before", entry => entry.Before),
        Fixed.Json("after", entry => entry.After),
        Fixed.Text("client_id", entry => entry.ClientId),
        Fixed.Text("contract_id", entry => entry.ContractId),
        Fixed.Text("user_id", entry => entry.UserId),
        Fixed.Text("report_id", entry => entry.ReportId),
        Fixed.Text("lot_id", entry => entry.LotId),
        Fixed.Text("used_of", entry => entry.UsedOf),
        Fixed.Text("account_id", entry => entry.AccountId),
    ];

    /// <summary>The columns that <see cref="Read"/> reads, in its order.</summary>
    public static readonly string Selected =
        string.Join(", ", Columns.Select(column => column.Name).Prepend(Id).Select(name => $"{Alias}.{name}"));

    /// <summary>Reads what <see cref="Selected"/> names.</summary>
    public static BookedEntry Read(IRowReader row) => new(row.Number(), new Entry
    {
        Kind = Words.Read<EntryKind>(row.Text()),
        EffectiveAt = row.Instant(),
        BookedAt = row.Instant(),
        Actor = row.Text(),
        Reason = row.OptionalText(),
        Cause = row.Text(),
        Subject = row.Text(),
        Quantity = row.Number(),
        ServicesCredits = row.OptionalQuantity(),
        Before = row.OptionalText(),
        After = row.OptionalText(),
        ClientId = row.Text(),
        ContractId = row.OptionalText(),
        UserId = row.OptionalText(),
        ReportId = row.OptionalText(),
        LotId = row.OptionalText(),
        UsedOf = row.OptionalText(),
        AccountId = row.OptionalText(),
    });
}
