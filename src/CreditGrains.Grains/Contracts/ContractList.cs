using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Each null: any; <paramref name="Name"/>: a part of it, in upper or lower case.</summary>
public sealed record ContractFilter(string? ClientId, string? Name, ContractState? State, ContractType? Type)
{
    public bool Passes(Terms terms, Instant now) =>
        terms.Name.HasPart(Name) && (State ?? terms.StateAt(now)) == terms.StateAt(now) && (Type ?? terms.Type) == terms.Type;
}

/// <summary>What a store knows of a contract for its figures (C4).</summary>
/// <param name="Users">How many are assigned.</param>
/// <param name="Used">Credits that all its users have used.</param>
/// <param name="UsedSince">Credits that reports charged since an instant, less those given back since.</param>
public sealed record ContractFacts(StoredContract Contract, long Users, long Used, long UsedSince);

/// <summary>Lists of contracts with their figures (C4).</summary>
public sealed class ContractList(IQueries queries)
{
    /// <summary>By contract id.</summary>
    public async Task<Page<(Terms Terms, ContractFigures Figures)>> Page(ContractFilter filter, Instant now, PageRequest page)
    {
        var listed = filter with { ClientId = null } == new ContractFilter(null, null, null, null)
            ? await queries.Contracts(filter.ClientId, page)
            : await Filtered.Page(
                next => queries.Contracts(filter.ClientId, next), page, contract => filter.Passes(contract.Terms, now),
                contract => page.Behind(Filtered.Contracts, contract.Terms.ContractId));
        var facts = (await queries.Facts([.. listed.Items.Select(contract => contract.Terms.ContractId)], now - ContractFigures.Lately))
            .ToDictionary(known => known.Contract.Document.Id);
        return new([.. listed.Items.Select(contract => (contract.Terms, Of(facts[contract.Terms.ContractId])))], listed.Next);

        ContractFigures Of(ContractFacts known) => ContractFigures.Of(known.Contract.AsContract(), known.Users, known.Used, known.UsedSince, now);
    }
}
