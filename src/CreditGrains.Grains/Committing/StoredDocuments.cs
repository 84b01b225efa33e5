using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>What stores read out of documents for their lists.</summary>
public static class StoredDocuments
{
    /// <summary>A contract's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static ContractDocument AsContract(this Document document) => Stored<ContractDocument>.Read(document);

    /// <summary>A contract as its grain knows it, with its users where they are given.</summary>
    public static Contract AsContract(this StoredContract stored, IEnumerable<Member>? members = null)
    {
        var document = stored.Document.AsContract();
        var contract = new Contract(document.Terms, document.Revision, stored.OpenLots, stored.Document.AsOf)
        {
            Plan = document.Plan ?? Plan.Initial,
            HasApart = document.HasApart,
            Closed = stored.Holds.Lots,
        }.With(stored.Holds.Members);
        var held = stored.Holds.Credits.ToLookup(credit => credit.ReportId);
        foreach (var report in stored.Holds.Reports) contract = contract.Hold(report, held[report.ReportId]);
        return members is null ? contract : contract.With(members) with { HasAllMembers = true };
    }

    /// <summary>A user's row as it is at that instant, where the end of a hold has changed it and is not booked (R8).</summary>
    /// <param name="member">Read after the contract: what has been booked in between is in it, and is not done again.</param>
    public static Member MemberAt(this StoredContract stored, Member member, Instant now)
    {
        var contract = stored.AsContract();
        return contract.RollForward(Instant.Max(now, contract.AsOf)).State.WithRead(member).Members[member.UserId];
    }

    /// <summary>What stands behind a user's reports.</summary>
    public static Allowance AsAllowance(this StoredMember stored)
    {
        var document = stored.Contract.AsContract();
        return new(document.Terms, document.Plan is { Enabled: true }, stored.Member);
    }

    /// <summary>An account's terms; throws <see cref="UnknownSchemaException"/>.</summary>
    public static AccountTerms AsAccount(this Document document) => Stored<AccountDocument>.Read(document).Terms;

    /// <summary>The settings of all accounts, and their version; throws <see cref="UnknownSchemaException"/>.</summary>
    public static (ServicesSettings Settings, long Version) AsSettings(this Document? document) =>
        document is null ? (ServicesSettings.Default, 0) : (Stored<ServicesSettings>.Read(document), document.Version);

    /// <summary>What is remembered by a request's key; null: nothing is.</summary>
    public static async Task<KeyedRequest?> Recall(this IStore store, RequestKey? key) =>
        key is not null && await store.Document(DocumentKind.Request, key.Key) is { } document
            ? Json.Read<KeyedRequest>(document.Body)
            : null;
}
