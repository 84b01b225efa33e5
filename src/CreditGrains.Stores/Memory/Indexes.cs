using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Memory;

/// <summary>What leads to the rows that are asked for most, each index in one order whatever the order of commits.</summary>
internal sealed class Indexes
{
    private static readonly Comparer<(Instant At, string Key, string More)> ByInstant =
        Comparer<(Instant At, string Key, string More)>.Create((one, other) =>
        one.At != other.At ? one.At.CompareTo(other.At)
        : string.CompareOrdinal(one.Key, other.Key) is var byKey and not 0 ? byKey : string.CompareOrdinal(one.More, other.More));

    private readonly Dictionary<string, SortedDictionary<string, Lot>> openLots = [];
    private readonly Dictionary<string, SortedDictionary<string, MemberChange>> members = [];
    private readonly Dictionary<string, SortedSet<(Instant At, string Id, string None)>> documents = [];
    private readonly SortedSet<(Instant At, string ContractId, string UserId)> renewals = new(ByInstant);
    private readonly SortedDictionary<string, SortedDictionary<(Instant At, string Name, string None), Ending>> ends = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<string>> held = [];

    public ImmutableArray<Lot> OpenLots(string contractId) => openLots.TryGetValue(contractId, out var open) ? [.. open.Values] : [];

    public IEnumerable<MemberChange> Members(string contractId) => members.TryGetValue(contractId, out var known) ? known.Values : [];

    public ImmutableArray<string> DueDocuments(string kind, Instant now, int limit) =>
        documents.TryGetValue(kind, out var due) ? [.. due.TakeWhile(next => next.At <= now).Take(limit).Select(next => next.Id)] : [];

    public ImmutableArray<AllocationKey> Renewals(Instant now, int limit) =>
        [.. renewals.TakeWhile(next => next.At <= now).Take(limit).Select(next => new AllocationKey(next.ContractId, next.UserId))];

    public ImmutableArray<string> ClientsWithEnds(Instant now, int limit) =>
        [.. ends.Where(client => NextEnd(client.Key) <= now).Take(limit).Select(client => client.Key)];

    public IEnumerable<Ending> Endings(string clientId, Instant now) =>
        ends.TryGetValue(clientId, out var of) ? of.Values.TakeWhile(next => next.Key.At <= now) : [];

    /// <summary>A contract's credits that are held, by id.</summary>
    public IEnumerable<CreditId> Held(string contractId) => held.TryGetValue(contractId, out var of) ? of.Select(CreditId.Parse) : [];

    public Instant? NextEnd(string clientId) => ends.TryGetValue(clientId, out var of) && of.Count > 0 ? of.First().Key.At : null;

    /// <summary>A row is no longer as it was, null where it was not there, but as it is, null where it is gone.</summary>
    public void Change<TChange>(TChange? before, TChange? after) where TChange : Change
    {
        // Of the other kinds no index is kept.
        switch (before, after)
        {
            case (LotChange or null, LotChange lot):
                Set(openLots, lot.ContractId, lot.Lot.Key(lot.ContractId), lot.Lot.IsOpen ? lot.Lot : null);
                break;
            case (MemberChange or null, MemberChange member):
                Set(members, member.ContractId, member.Member.UserId, member);
                if (before is MemberChange { DueAt: { } was }) renewals.Remove((was, member.ContractId, member.Member.UserId));
                if (member.DueAt is { } due) renewals.Add((due, member.ContractId, member.Member.UserId));
                break;
            case (DocumentChange or null, DocumentChange or null):
                if (before is DocumentChange { DueAt: { } past } old) Due(old.Kind).Remove((past, old.Id, ""));
                if (after is DocumentChange { DueAt: { } next } now) Due(now.Kind).Add((next, now.Id, ""));
                break;
            case (CreditChange or null, CreditChange or null):
                if (before is CreditChange { Credit: { HeldUntil: not null, Id: var left } }) HeldOf(left.ContractId).Remove($"{left}");
                if (after is CreditChange { Credit: { HeldUntil: not null, Id: var kept } }) HeldOf(kept.ContractId).Add($"{kept}");
                break;
            case (EndingChange or null, EndingChange or null):
                if (before is EndingChange { Ending: var gone }) EndsOf(gone.Key.ClientId).Remove((gone.Key.At, gone.Key.Row.Second, ""));
                if (after is EndingChange { Ending: var coming }) EndsOf(coming.Key.ClientId)[(coming.Key.At, coming.Key.Row.Second, "")] = coming;
                break;
        }
    }

    private SortedSet<(Instant, string, string)> Due(string kind) =>
        documents.TryGetValue(kind, out var due) ? due : documents[kind] = new(ByInstant);

    private SortedSet<string> HeldOf(string contractId) =>
        held.TryGetValue(contractId, out var of) ? of : held[contractId] = new(StringComparer.Ordinal);

    private SortedDictionary<(Instant, string, string), Ending> EndsOf(string clientId) =>
        ends.TryGetValue(clientId, out var of) ? of : ends[clientId] = new(ByInstant);

    private static void Set<T>(Dictionary<string, SortedDictionary<string, T>> index, string of, string key, T? row) where T : class
    {
        if (!index.TryGetValue(of, out var rows)) index[of] = rows = new(StringComparer.Ordinal);
        if (row is null) rows.Remove(key);
        else rows[key] = row;
    }
}
