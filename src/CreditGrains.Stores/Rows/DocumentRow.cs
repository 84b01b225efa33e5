using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores;

/// <summary>Contracts, accounts, settings, remembered requests and previews.</summary>
internal sealed class DocumentRow : Row<DocumentChange, Document>
{
    public static readonly DocumentRow Instance = new();

    /// <summary>The id of the one document of settings of all accounts.</summary>
    public const string ServicesSettings = "services-credits";

    public override RowKind Kind => RowKind.Document;

    public override string Table => "document";

    public override string Alias => "d";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("kind", key => key.First), KeyPart.Text("id", key => key.Second)];

    public override ImmutableArray<Column<DocumentChange>> Columns { get; }

    private DocumentRow() => Columns =
    [
        Fence,
        Kept.Json("body", change => change.Body),
        Set.Text("owner", change => change.Owner),
        Set.Instant("as_of", change => change.AsOf),
        Set.Instant("due_at", change => change.DueAt),
    ];

    public override RowKey KeyOf(DocumentChange change) => change.Row;

    public override long Expected(DocumentChange change) => change.Expected;

    public override long Version(DocumentChange change) => change.Version;

    public override DocumentChange Over(DocumentChange present, DocumentChange change) =>
        change with { Body = change.Body ?? present.Body };

    public override Document Read(IRowReader row)
    {
        var (kind, id, version, body, owner) = (row.Text(), row.Text(), row.Number(), row.Text(), row.Text());
        return new(kind, id, version, body, owner, row.Instant(), row.OptionalInstant());
    }
}
