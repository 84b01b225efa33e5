using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

public sealed partial class SqliteStore : IUpcoming
{
    private const string AllUpcoming = $"""
        select kind, id, due_at from document where kind in ('{DocumentKind.Contract}', '{DocumentKind.Account}') and due_at is not null
        union all
        select '{Grains.Upcoming.Allocation}', contract_id || '/' || user_id, due_at from member where due_at is not null
        """;

    public Task<IReadOnlyList<Upcoming>> Upcoming(Upcoming after, Instant until, int limit) => grains.Read<IReadOnlyList<Upcoming>>(database => database[
        $"select kind, id, due_at from ({AllUpcoming}) where due_at between ?1 and ?4 and (due_at, kind, id) > (?1, ?2, ?3) order by due_at, kind, id limit ?5"]
        .Bind(after.At).Bind(after.Kind).Bind(after.Key).Bind(until).Bind(limit).All(row => new Upcoming(row.Text(), row.Text(), row.Instant())));

    /// <summary>A grain's own state and its version; null: there is none.</summary>
    internal Task<GrainState?> State(string state, string grain) => grains.Read(database =>
        database["select body, version from grain_state where state = ? and grain = ?"].Bind(state).Bind(grain).First(row => new GrainState(row.Text(), row.Number())));

    /// <summary>Writes it where it still has that version, 0: none; false: it has not.</summary>
    internal Task<bool> WriteState(string state, string grain, GrainState next, long expected) => writer.Write(database => expected == 0
        ? database["insert into grain_state (state, grain, version, body) values (?, ?, ?, ?) on conflict do nothing"]
            .Bind(state).Bind(grain).Bind(next.Version).Bind(next.Body).Run() == 1
        : database["update grain_state set version = ?, body = ? where state = ? and grain = ? and version = ?"]
            .Bind(next.Version).Bind(next.Body).Bind(state).Bind(grain).Bind(expected).Run() == 1);

    /// <summary>Deletes it where it still has that version; false: it has not.</summary>
    internal Task<bool> DeleteState(string state, string grain, long expected) => writer.Write(database =>
        database["delete from grain_state where state = ? and grain = ? and version = ?"].Bind(state).Bind(grain).Bind(expected).Run() == 1);
}

/// <summary>A grain's own state as the store has it.</summary>
/// <param name="Version">From 1, one more with each write.</param>
internal sealed record GrainState(string Body, long Version);
