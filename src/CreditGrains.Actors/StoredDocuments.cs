using CreditGrains.Domain;

namespace CreditGrains.Actors;

/// <summary>What stores read out of documents for their lists.</summary>
public static class StoredDocuments
{
    /// <summary>A contract's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static ContractDocument AsContract(this Document document) => Stored<ContractDocument>.Read(document);

    /// <summary>An account's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static AccountTerms AsAccount(this Document document) => Stored<AccountDocument>.Read(document).Terms;

    /// <summary>The settings of all accounts, and their version; throws <see cref="UnknownSchemaException"/>.</summary>
    public static (ServicesSettings Settings, long Version) AsSettings(this Document? document) =>
        document is null ? (ServicesSettings.Default, 0) : (Stored<ServicesSettings>.Read(document), document.Version);
}
