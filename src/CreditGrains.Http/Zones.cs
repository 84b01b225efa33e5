using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;

namespace CreditGrains.Http;

/// <summary>Where the dates of services credits are local to (T1): an account's zone is fixed (S1).</summary>
internal sealed class Zones(IQueries queries)
{
    private readonly Fixed zones = new(async accountId => (await queries.Account(accountId))?.TimeZone);

    public async ValueTask<string> Of(string accountId) => await zones.Of(accountId) ?? throw new InvariantException("the account of a project, a milestone or a record is there");

    /// <summary>A milestone as it is shown, with the zone of its project's account.</summary>
    public async Task<MilestoneDocument> Show(Milestone milestone) => (await Show([milestone]))[0];

    public async Task<ImmutableArray<MilestoneDocument>> Show(ImmutableArray<Milestone> milestones)
    {
        var projects = await queries.Projects([.. milestones.Select(milestone => milestone.ProjectId).Distinct()]);
        var shown = ImmutableArray.CreateBuilder<MilestoneDocument>(milestones.Length);
        foreach (var milestone in milestones)
        {
            var project = projects[milestone.ProjectId];
            shown.Add(MilestoneDocument.Of(milestone, project, await Of(project.AccountId)));
        }
        return shown.MoveToImmutable();
    }
}
