using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>A lot's key, which is how its credits name it: contract~lot, or the id of a credit that lies apart from its lot.</summary>
internal static class LotKeys
{
    public static string Of(CreditId id) => Lot.Key(id.ContractId, id.LotId, 0);

    public static string Of(RowKey lot) => Lot.Key(lot.First, lot.Second, lot.Number);

    /// <summary>The credit of that ordinal in a lot.</summary>
    public static CreditId Credit(string key, long ordinal) =>
        key.Split('~') is [var contract, var lot] ? new(contract, lot, ordinal) : throw new InvariantException($"{key} is a lot's key");
}
