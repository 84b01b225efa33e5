using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IPlayerCreditsGrain"/>
[Reentrant, PreferLocalPlacement]
public sealed class PlayerCreditsGrain(IGrainContext context, GrainServices services) : IPlayerCreditsGrain, IGrainBase, IRemindable
{
    // The most rows of each of two generations: one that is not asked for within so many others is let go.
    private const int MaxRows = 50_000, PageSize = 500;

    private readonly string clientId = context.GrainId.Key.ToString()!;
    private readonly DueReminder reminder = new(services);
    private Dictionary<string, Player> young = [], old = [];
    private Instant? nextEnd;

    public IGrainContext GrainContext => context;

    public async Task<ImmutableArray<Player>> Look(ImmutableArray<string> players, ImmutableArray<string> stale)
    {
        var known = players.Except(stale).Select(Known).OfType<Player>().ToDictionary(row => row.PlayerId);
        string[] unknown = [.. players.Where(player => !known.ContainsKey(player))];
        if (unknown.Length > 0)
        {
            var rows = await services.Store.Read(new(clientId, "") { Players = unknown });
            foreach (var player in unknown) known[player] = Keep(rows.Players.GetValueOrDefault(player) ?? Player.Unknown(clientId, player));
        }
        return [.. known.Values.Where(row => row.Version > 0)];
    }

    public async Task Note(ImmutableArray<Player> rows)
    {
        foreach (var row in rows) Keep(row);
        if (rows.Min(row => row.CoversUntil) is { } end && !(nextEnd <= end)) await reminder.Set(this, nextEnd = end);
    }

    public Task WakeUp() => ReceiveReminder("", default);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        while (await BookPage()) { }
        nextEnd = await services.Store.NextEnd(clientId);
        await reminder.Rang(this, nextEnd);
    }

    public Task OnDeactivateAsync(DeactivationReason reason, CancellationToken token)
    {
        services.Metrics.PlayersKept.Add(-Kept);
        return Task.CompletedTask;
    }

    // A page books what it can and passes over endings that were changed meanwhile.
    private async Task<bool> BookPage()
    {
        var now = services.Clock.Now;
        var due = await services.Store.DueEndings(clientId, now, PageSize);
        var left = due;
        while (!left.IsEmpty)
        {
            var ends = Coverage.Expire(left, now);
            switch (await services.Store.Commit(new(clientId, ends)))
            {
                case CommitResult.Done:
                    services.Metrics.NoteDelays(ends);
                    return due.Length == PageSize;
                case CommitResult.Conflict(var rows):
                    left = [.. left.Where(ending => !rows.Contains(ending.Key.Row))];
                    break;
                case CommitResult.Unknown(var cause):
                    throw new StoreUnavailableException("The end of coverage could not be booked.", cause);
            }
        }
        return due.Length == PageSize;
    }

    private long Kept => young.Count + old.Count;

    private Player? Known(string playerId) => young.GetValueOrDefault(playerId) ?? (old.Remove(playerId, out var row) ? Keep(row) : null);

    private Player Keep(Player row)
    {
        var known = young.GetValueOrDefault(row.PlayerId) ?? old.GetValueOrDefault(row.PlayerId);
        var newest = known is not null && known.Version > row.Version ? known : row;
        var kept = Kept;
        if (young.Count >= MaxRows) (old, young) = (young, []);
        young[row.PlayerId] = newest;
        services.Metrics.PlayersKept.Add(Kept - kept);
        return newest;
    }
}
