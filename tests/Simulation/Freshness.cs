using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;

namespace CreditGrains.Simulation;

/// <summary>What was known newer is not taken for what it was before.</summary>
internal sealed class Freshness(World world, MemoryStore store)
{
    private readonly Dictionary<(string By, RowKey Row), long> met = [];
    private readonly Dictionary<RowKey, int> records = [];

    /// <summary>Sees what players' rows are told by a client's player credits: never one older than the activation had been told of when it was asked.</summary>
    public Action<object?>? Looked(Activation activation, Call call)
    {
        switch (call.Method.Name)
        {
            case nameof(IPlayerCreditsGrain.Note) when call.Arguments[0] is ImmutableArray<Player> rows:
                return ended =>
                {
                    if (ended is Nothing) Told(activation, rows);
                };
            case nameof(IPlayerCreditsGrain.Look):
                var asked = (ImmutableArray<string>)call.Arguments[0]!;
                var known = asked.Where(activation.Told.ContainsKey).Select(player => (Player: player, Version: activation.Told[player])).ToList();
                return answer =>
                {
                    if (answer is not ImmutableArray<Player> rows) return;
                    var told = rows.ToDictionary(row => row.PlayerId, row => row.Version);
                    foreach (var (player, version) in known)
                        world.Holds(told.GetValueOrDefault(player) >= version, "no message undoes a newer one", $"{player} had version {version}, has {told.GetValueOrDefault(player)}");
                    Told(activation, rows);
                };
            default:
                return null;
        }
    }

    /// <summary>Sees conflicts in a world without faults: a row that a contract has found changed is read again.</summary>
    public void Conflicted(Commit commit, IReadOnlySet<RowKey> rows, Submissions submissions)
    {
        foreach (var row in rows.Where(row => row.Kind == RowKind.Report))
        {
            var times = records[row] = records.GetValueOrDefault(row) + 1;
            world.Holds(times < submissions.Arrivals(new(row.First, row.Second)), "a record that was met is read (R3, R4)", $"{row} was met {times} times");
        }

        var by = commit.Changes.Contracts().Select(write => write.Id)
            .Concat(commit.Changes.Guards.Where(guard => guard.Row is { Kind: RowKind.Document, First: DocumentKind.Contract }).Select(guard => guard.Row.Second)).FirstOrDefault();
        if (by is null) return;
        var expected = commit.Changes.Select(Auditing.ExpectedBy).OfType<(RowKey Row, long Version)>().Concat(commit.Changes.Guards.Select(guard => (guard.Row, guard.Version)));
        foreach (var (row, version) in expected.Where(one => one.Row.Kind is RowKind.Player or RowKind.Member or RowKind.User && rows.Contains(one.Row)))
        {
            world.Holds(!(met.GetValueOrDefault((by, row)) > version), "what was found changed is read again (R4)", $"{by} takes {row} for {version}, and had met {met.GetValueOrDefault((by, row))}");
            met[(by, row)] = store.Version(row);
        }
    }

    private static void Told(Activation activation, ImmutableArray<Player> rows)
    {
        foreach (var row in rows) activation.Told[row.PlayerId] = Math.Max(row.Version, activation.Told.GetValueOrDefault(row.PlayerId));
    }
}
