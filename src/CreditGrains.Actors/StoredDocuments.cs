namespace CreditGrains.Actors;

/// <summary>What stores read out of documents for their lists.</summary>
public static class StoredDocuments
{
    /// <summary>A contract's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static ContractDocument AsContract(this Document document) => Stored<ContractDocument>.Read(document);
}
