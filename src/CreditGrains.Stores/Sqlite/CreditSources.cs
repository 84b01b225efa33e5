using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>Where the list of credits comes from (P4): the credits of one player or user by their own indexes; otherwise lot by lot, touched and untouched ones, and the minted ones by their instants. Indexes know whether an expiry is booked; what is over and not booked is told by the time.</summary>
internal static class CreditSources
{
    private const string Order = "c.created_at, c.lot, c.ordinal";

    private const string FreeLots = $"select l.contract_id, l.client_id, {Rows.Lot} from lots l";

    /// <summary>Each in the list's order, behind <paramref name="after"/>, filtered, and at least a page and one long where there is that much.</summary>
    public static IEnumerable<IEnumerable<CreditDocument>> Of(Database database, CreditFilter filter, CreditPlace? after, int limit, Instant now)
    {
        if (CreditList.ShowsUntouched(filter))
        {
            // Those apart are a list of their own: their places lie among those of their lots.
            yield return Untouched(isApart: false);
            yield return Untouched(isApart: true);
        }
        // What is unallocated lies in its lot, or apart from it.
        if (filter.Status is CreditStatus.Unallocated) yield break;
        var isBooked = CreditList.IsBooked(filter);

        // The sweeper sees to it that these are few.
        if (filter.Status is CreditStatus.Expired) yield return Read(Residual(Behind(new Where().And("c.expires_at <= ? and c.expiry_booked = 0 and c.player_id is not null", now).Equal("+c.player_id", filter.PlayerId).Equal("+c.used_by", filter.UserId))), Order);

        if (filter.PlayerId is not null || filter.UserId is not null)
        {
            yield return Read(Booked(OfPlayerOrUser(), "+c.expiry_booked", isBooked), Order);
            yield break;
        }
        yield return LotByLot();
        if (!CreditList.ShowsMinted(filter)) yield break;
        foreach (var booked in isBooked is { } one ? [one] : new[] { true, false }) yield return Read(Minted(booked), Order);

        Where OfPlayerOrUser()
        {
            var where = new Where();
            if (filter.PlayerId is { } player) where.And("((c.is_current = 1 and c.player_id = ?) or (c.is_current = 0 and c.player_id = ?))", player, player);
            if (filter.UserId is { } user) where.And($"{(filter.PlayerId is null ? "" : "+")}c.used_by = ?", user);
            return Residual(Behind(where));
        }

        // All credits of such a lot came to be at once: the list goes from lot to lot, and in a lot by ordinal.
        IEnumerable<CreditDocument> LotByLot()
        {
            var where = OfLot(filter).And("+l.source <> ? and l.apart = 0", nameof(LotSource.Minted));
            if (after is not null) where.And("(l.created_at, l.key) >= (?, ?)", after.CreatedAt, Key(after));
            var by = isBooked switch { null => "", true => "indexed by credits_booked", false => "indexed by credits_unbooked" };
            return where.Bind(database[$"select l.key from lots l {where} order by l.created_at, l.key"]).Each(row => row.Text())
                .SelectMany(key => Read(Booked(new Where().And("c.lot = ? and c.ordinal > ?", key, after is not null && key == Key(after) ? after.Id.Ordinal : 0L), "c.expiry_booked", isBooked), "c.ordinal", by));
        }

        Where Minted(bool booked)
        {
            var where = Booked(new Where().And("c.minted = 1"), "c.expiry_booked", booked);
            where.Equal("c.lot", filter.ContractId is { } contract ? Rows.LotKey(contract, Lot.MintedId) : null).Equal("c.client_id", filter.ClientId);
            return Residual(Behind(where));
        }

        IEnumerable<CreditDocument> Read(Where where, string order, string by = "")
        {
            if (filter.Status is CreditStatus.Allocated) where.And("(c.expires_at is null or c.expires_at > ?)", now);
            return where.Bind(database[$"select {Rows.Credit} from credits c {by} join lots l on l.key = c.lot {where} order by {order} limit ?"]).Bind(limit + 1).All(Rows.ReadCredit).Select(credit => CreditDocument.Of(credit, now));
        }

        Where Behind(Where where) => after is null ? where : where.And($"({Order}) > (?, ?, ?)", after.CreatedAt, Key(after), after.Id.Ordinal);

        Where Residual(Where where)
        {
            foreach (var (column, value) in new[] { ("l.contract_id", filter.ContractId), ("l.payment_id", filter.PaymentId), ("l.lot_id", filter.LotId), ("c.client_id", filter.ClientId) })
                if (value is not null)
                    where.And($"+{column} = ?", value);
            return where;
        }

        IEnumerable<CreditDocument> Untouched(bool isApart)
        {
            var where = OfLot(filter).And($"l.free <> '' and l.apart {(isApart ? ">" : "=")} 0");
            if (filter.Status is CreditStatus.Expired) where.And("l.expires_at <= ?", now);
            if (filter.Status is CreditStatus.Unallocated) where.And("(l.expires_at is null or l.expires_at > ?)", now);
            if (after is not null) where.And("(l.created_at, l.key) >= (?, ?)", after.CreatedAt, isApart ? $"{after.Id}" : Key(after));
            return CreditList.Untouched(where.Bind(database[$"{FreeLots} {where} order by l.created_at, l.key"]).Each(ReadFree), filter.Status, after, now);
        }
    }

    private static Where OfLot(CreditFilter filter) => new Where()
        .Equal("l.contract_id", filter.ContractId).Equal("l.payment_id", filter.PaymentId).Equal("l.lot_id", filter.LotId).Equal("l.client_id", filter.ClientId);

    private static Where Booked(Where where, string column, bool? isBooked) => isBooked is { } booked ? where.And($"{column} = {(booked ? 1 : 0)}") : where;

    private static string Key(CreditPlace place) => Rows.LotKey(place.Id.ContractId, place.Id.LotId);

    private static ListedLot ReadFree(Statement row) => new(row.Text(), row.Text(), Rows.ReadLot(row));
}
