using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// Where the list of credits comes from (P4): the credits of one player or user by their own indexes; otherwise lot by lot, touched and
/// untouched ones, and the minted ones by their instants.
/// </summary>
internal sealed class CreditSources(Database database, CreditFilter filter, PlacedPage<CreditPlace> page, Instant now)
{
    private static readonly string[] Order = ["c.created_at", "c.place", "c.ordinal"], OfMinted = ["c.created_at", "c.lot", "c.ordinal"],
        OfLots = ["l.created_at", "l.place"];

    private readonly CreditPlace? after = page.After;
    private readonly Direction direction = new(page.IsDescending);

    // No credit of the lot that is over has a higher ordinal; 0: none is.
    private const string LastOver = """
        max(coalesce((select f.last_ordinal from ended f where f.lot = l.key), 0),
            coalesce((select max(g.last_ordinal) from ending g where g.client_id = l.client_id and g.ends_at <= ? and g.lot = l.key), 0))
        """;

    /// <summary>Each in the list's order, behind the place, filtered, and at least a page and one long where there is that much.</summary>
    public IEnumerable<IEnumerable<CreditDocument>> All()
    {
        if (CreditList.ShowsUntouched(filter))
        {
            // Those apart are a list of their own: their places lie among those of their lots.
            yield return Untouched(isApart: false);
            yield return Untouched(isApart: true);
        }
        if (!CreditList.ShowsTouched(filter)) yield break;
        if (filter.PlayerId is not null || filter.UserId is not null)
        {
            yield return OfPlayerOrUser();
            yield break;
        }
        yield return LotByLot();
        if (!CreditList.ShowsMinted(filter)) yield break;
        if (filter.ContractId is { } contract)
        {
            yield return MintedOf(contract);
            yield break;
        }
        yield return Minted();
    }

    private IEnumerable<CreditDocument> Untouched(bool isApart)
    {
        var where = OfLot().And($"{CreditList.UntouchedIn(filter, "l.has_free = 1", "l.has_withdrawn = 1")} and l.apart {(isApart ? ">" : "=")} 0");
        Expiring(where, "l.expires_at");
        if (filter.Status is CreditStatus.Expired) where.And("l.expires_at <= ?", now);
        if (filter.Status is CreditStatus.Unallocated) where.And("(l.expires_at is null or l.expires_at > ?)", now);
        if (after is not null) where.And(direction.From(OfLots), after.CreatedAt, isApart ? $"{after.Id}~" : PlaceOf(after));
        var lots = where.Bind(database[$"select {LotRow.Instance.Selected} from lot l {where} order by {direction.OrderBy(OfLots)}"])
            .Each(LotRow.Instance.Read);
        return CreditList.Untouched(lots, filter, page, now);
    }

    private IEnumerable<CreditDocument> OfPlayerOrUser()
    {
        var where = new Where().OfPlayer(filter.PlayerId).Equal("c.used_by", filter.UserId);
        return Read(Residual(Behind(where)), Order);
    }

    // All credits of such a lot came to be at once: the list goes from lot to lot, and in a lot by ordinal.
    private IEnumerable<CreditDocument> LotByLot()
    {
        var where = OfLot().And("+l.source <> ? and l.apart = 0", LotSource.Minted.Word());
        if (after is not null) where.And(direction.From(OfLots), after.CreatedAt, PlaceOf(after));
        var isOver = filter.Status is CreditStatus.Expired;
        var lots = database[$"select l.key, {(isOver ? LastOver : $"{Lot.MaxQuantity}")} from lot l {where} order by {direction.OrderBy(OfLots)}"];
        return where.Bind(isOver ? lots.Bind(now) : lots).Each(row => (Key: row.Text(), Last: row.Number())).Where(lot => lot.Last > 0)
            .SelectMany(lot => InLot(lot.Key, lot.Last));
    }

    private IEnumerable<CreditDocument> InLot(string key, long last)
    {
        var where = new Where().And("c.lot = ? and c.ordinal <= ?", key, last);
        if (after is not null && key == LotKeys.Of(after.Id)) where.And(direction.Behind("c.ordinal"), after.Id.Ordinal);
        return Read(where, ["c.ordinal"]);
    }

    // Minted credits come by ordinal in the order of time.
    private IEnumerable<CreditDocument> MintedOf(string contract)
    {
        var where = new Where().And("c.lot = ?", LotKeys.Of(new CreditId(contract, Lot.MintedId, 1)));
        if (after is not null
            && (after.Id.ContractId, after.Id.LotId) == (contract, Lot.MintedId)) where.And(direction.Behind("c.ordinal"), after.Id.Ordinal);
        else Behind(where);
        if (filter.ClientId is { } client) where.And("+c.client_id = ?", client);
        return Read(Created(where, "+c.created_at"), ["c.ordinal"]);
    }

    private IEnumerable<CreditDocument> Minted()
    {
        var where = new Where().And($"c.lot glob '*~{Lot.MintedId}'").Equal("c.client_id", filter.ClientId);
        if (after is not null) where.And(direction.Behind(OfMinted), after.CreatedAt, LotKeys.Of(after.Id), after.Id.Ordinal);
        return Read(Residual(where), OfMinted);
    }

    private IEnumerable<CreditDocument> Read(Where where, string[] order)
    {
        Expiring(where, "coalesce(c.held_until, c.expires_at)");
        if (filter.Status is CreditStatus.Allocated) where.And("c.player_id is not null and (c.expires_at is null or c.expires_at > ?)", now);
        if (filter.Status is CreditStatus.Expired) where.And("(c.player_id is null or c.expires_at <= ?)", now);
        return where.Bind(database[$"select {CreditRow.Instance.Listed} from credit c {where} order by {direction.OrderBy(order)} limit ?"])
            .Bind(page.Limit + 1)
            .All(CreditRow.Instance.ReadListed).Select(credit => CreditDocument.Of(credit, now));
    }

    private Where Behind(Where where) =>
        after is null ? where : where.And(direction.Behind(Order), after.CreatedAt, PlaceOf(after), after.Id.Ordinal);

    // What a credit's row and its lot's key say, checked on what an index finds by something narrower.
    private Where Residual(Where where)
    {
        if (filter.ContractId is { } contract) where.And("substr(c.lot, 1, instr(c.lot, '~') - 1) = ?", contract);
        if (filter.LotId is { } lot) where.And("substr(c.lot, instr(c.lot, '~') + 1) = ?", lot);
        if (filter.PaymentId is { } payment) where.And($"{CreditRow.Payment} = ?", payment);
        if (filter.ClientId is { } client) where.And("+c.client_id = ?", client);
        return Created(where, "c.created_at");
    }

    private Where OfLot() => Created(
        new Where().Equal("l.contract_id", filter.ContractId).Equal("l.payment_id", filter.PaymentId).Equal("l.lot_id", filter.LotId)
            .Equal("l.client_id", filter.ClientId), "l.created_at");

    // Behind a place one end of the range is sure.
    private Where Created(Where where, string column)
    {
        if (filter.CreatedFrom is { } from && (after is null || page.IsDescending)) where.And($"{column} >= ?", from);
        if (filter.CreatedTo is { } to && (after is null || !page.IsDescending)) where.And($"{(after is null ? "" : "+")}{column} < ?", to);
        return where;
    }

    private Where Expiring(Where where, string column)
    {
        if (filter.ExpiresFrom is { } from) where.And($"{column} >= ?", from);
        if (filter.ExpiresTo is { } to) where.And($"{column} < ?", to);
        return where;
    }

    private static string PlaceOf(CreditPlace place) => $"{LotKeys.Of(place.Id)}~";
}
