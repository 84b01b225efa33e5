namespace CreditGrains.Actors;

/// <summary>What stores read out of documents for their lists.</summary>
public static class StoredDocuments
{
    /// <summary>A contract's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static ContractDocument AsContract(this Document document) => Stored<ContractDocument>.Read(document);

    /// <summary>A contract as its actor would know it, but for its users; throws <see cref="UnknownSchemaException"/>.</summary>
    public static Domain.Contract AsContract(this StoredContract stored) =>
        stored.Document.AsContract() is var (terms, revision) ? new(terms, revision, stored.OpenLots, stored.Document.AsOf) : throw new Domain.InvariantException("a document is there");
}
