using CreditGrains.Actors;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Standalone.Sqlite;

/// <summary>Where the list of credits comes from (P4): the credits of one player or user by their own indexes; otherwise lot by lot, touched and untouched ones, and the minted ones by their instants.</summary>
internal static class CreditSources
{
    private const string Touched = $"select {Rows.Credit} from credits c join lots l on l.key = c.lot";

    private const string FreeLots = $"""
        select l.contract_id, l.client_id, {Rows.Lot}, (select group_concat(c.ordinal) from credits c where c.lot = l.key and c.player_id is null) from lots l
        """;

    /// <summary>Each in the list's order, behind <paramref name="after"/>, filtered, and at least a page and one long where there is that much.</summary>
    public static IEnumerable<IEnumerable<CreditDocument>> Of(Database database, CreditFilter filter, CreditPlace? after, int limit, Instant now)
    {
        if (filter.PlayerId is not null || filter.UserId is not null) return [Read(OfPlayerOrUser(filter), "c.created_at, c.lot, c.ordinal")];
        var minted = Read(Minted(filter), "c.created_at, c.lot, c.ordinal");
        return CreditList.ShowsUntouched(filter) ? [LotByLot(), minted, Untouched()] : [LotByLot(), minted];

        Where OfPlayerOrUser(CreditFilter of)
        {
            var where = new Where();
            if (of.PlayerId is { } player) where.And("((c.is_current = 1 and c.player_id = ?) or (c.is_current = 0 and c.player_id = ?))", player, player);
            if (of.UserId is { } user) where.And($"{(of.PlayerId is null ? "" : "+")}c.used_by = ?", user);
            if (after is not null) where.And($"(c.created_at, c.lot, c.ordinal) > (?, ?, ?)", after.CreatedAt, Key(after), after.Id.Ordinal);
            return Residual(where, of);
        }

        // All credits of such a lot came to be at once: the list goes from lot to lot, and in a lot by ordinal.
        IEnumerable<CreditDocument> LotByLot()
        {
            var where = OfLot(filter).And("+l.source <> ?", nameof(LotSource.Minted));
            if (after is not null) where.And("(l.created_at, l.key) >= (?, ?)", after.CreatedAt, Key(after));
            return where.Bind(database[$"select l.key from lots l {where} order by l.created_at, l.key"]).Each(row => row.Text())
                .SelectMany(key => Read(new Where().And("c.lot = ? and c.ordinal > ?", key, after is not null && key == Key(after) ? after.Id.Ordinal : 0L), "c.ordinal"));
        }

        Where Minted(CreditFilter of)
        {
            var where = new Where().And("c.minted = 1").Equal("c.lot", of.ContractId is { } contract ? Rows.LotKey(contract, Lot.MintedId) : null).Equal("c.client_id", of.ClientId);
            if (after is not null) where.And("(c.created_at, c.lot, c.ordinal) > (?, ?, ?)", after.CreatedAt, Key(after), after.Id.Ordinal);
            return Residual(where, of);
        }

        IEnumerable<CreditDocument> Read(Where where, string order)
        {
            if (filter.Status is CreditStatus.Expired) where.And("c.expires_at <= ?", now);
            if (filter.Status is CreditStatus.Allocated or CreditStatus.Unallocated)
                where.And($"c.player_id is {(filter.Status is CreditStatus.Allocated ? "not " : "")}null and (c.expires_at is null or c.expires_at > ?)", now);
            return where.Bind(database[$"{Touched} {where} order by {order} limit ?"]).Bind(limit + 1).All(Rows.ReadCredit).Select(credit => CreditDocument.Of(credit, now));
        }

        IEnumerable<CreditDocument> Untouched()
        {
            var where = OfLot(filter).And("l.free <> ''");
            if (filter.Status is CreditStatus.Expired) where.And("l.expires_at <= ?", now);
            if (filter.Status is CreditStatus.Unallocated) where.And("(l.expires_at is null or l.expires_at > ?)", now);
            if (after is not null) where.And("(l.created_at, l.key) >= (?, ?)", after.CreatedAt, Key(after));
            return CreditList.Untouched(where.Bind(database[$"{FreeLots} {where} order by l.created_at, l.key"]).Each(ReadFree), filter.Status, after, now);
        }
    }

    private static Where OfLot(CreditFilter filter) => new Where()
        .Equal("l.contract_id", filter.ContractId).Equal("l.payment_id", filter.PaymentId).Equal("l.lot_id", filter.LotId).Equal("l.client_id", filter.ClientId);

    private static Where Residual(Where where, CreditFilter filter)
    {
        foreach (var (column, value) in new[] { ("l.contract_id", filter.ContractId), ("l.payment_id", filter.PaymentId), ("l.lot_id", filter.LotId), ("c.client_id", filter.ClientId) })
            if (value is not null)
                where.And($"+{column} = ?", value);
        return where;
    }

    private static string Key(CreditPlace place) => Rows.LotKey(place.Id.ContractId, place.Id.LotId);

    private static ListedLot ReadFree(Statement row) => new(row.Text(), row.Text(), Rows.ReadLot(row), Runs.Parse(row.OptionalText() ?? "").Ordinals().ToHashSet());
}
