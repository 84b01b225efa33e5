using System.Collections.Concurrent;
using System.Collections.Immutable;
using CreditGrains.Actors;
using CreditGrains.Domain;

namespace CreditGrains.Http;

/// <summary>Where the dates of services credits are local to (T1): an account's zone is fixed (S1), so it is asked for once.</summary>
internal sealed class Zones(IQueries queries)
{
    private const int MaxKnown = 100_000;

    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    public async ValueTask<string> Of(string accountId)
    {
        if (known.TryGetValue(accountId, out var zone)) return zone;
        var account = await queries.Account(accountId) ?? throw new InvariantException("the account of a project, a milestone or a record is there");
        if (known.Count >= MaxKnown) known.Clear();
        return known[accountId] = account.TimeZone;
    }

    /// <summary>A milestone as it is shown, with the zone of its project's account.</summary>
    public async Task<MilestoneDocument> Show(Milestone milestone) => (await Show([milestone]))[0];

    public async Task<ImmutableArray<MilestoneDocument>> Show(ImmutableArray<Milestone> milestones)
    {
        var accounts = await queries.AccountsOf([.. milestones.Select(milestone => milestone.ProjectId).Distinct()]);
        var shown = ImmutableArray.CreateBuilder<MilestoneDocument>(milestones.Length);
        foreach (var milestone in milestones) shown.Add(MilestoneDocument.Of(milestone, await Of(accounts[milestone.ProjectId])));
        return shown.MoveToImmutable();
    }
}
