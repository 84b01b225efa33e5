using CreditGrains.Domain;

namespace CreditGrains.Actors;

/// <inheritdoc cref="IAllocation"/>
public class AllocationActor(ActorServices services, AllocationKey key) : IAllocation
{
    private readonly Cached<StoredMember?> stored = new(() => services.Store.Member(key));
    private readonly Dictionary<string, Held> holds = [];

    private sealed record Held(Claimant By, long Credits, long Since);

    public async Task<HoldAnswer> Hold(Claimant by, long credits)
    {
        var answer = await Peek(credits);
        if (answer.Refusal is null) holds[by.ReportId] = new(by, credits, services.Time.GetTimestamp());
        return answer;
    }

    // A refusal is never given on what was read before it was asked for.
    public async Task<HoldAnswer> Peek(long credits)
    {
        if (LetLapsedGo()) stored.Drop();
        var asked = stored.IsAsked;
        var answer = Answer(await stored.Get(), credits);
        if (answer.Refusal is null || !asked) return answer;
        stored.Drop();
        return Answer(await stored.Get(), credits);
    }

    public async Task Settle(Claimant by, bool used)
    {
        if (holds.GetValueOrDefault(by.ReportId) is not { } held || held.By != by) return;
        holds.Remove(by.ReportId);
        if (used && stored.IsKnown && await stored.Get() is { } member) stored.Set(member with { TotalUsed = member.TotalUsed + held.Credits });
    }

    public Task Forget()
    {
        stored.Drop();
        return Task.CompletedTask;
    }

    private HoldAnswer Answer(StoredMember? member, long credits)
    {
        var amounts = new Amounts(credits, null, null, null);
        if (member is not { Member.Assigned: true }) return new(null, new(RefusalCode.UserNotAssigned, $"The user {key.UserId} is not assigned to the contract.", Amounts: amounts));
        if (member.Disabled) return new(null, new(RefusalCode.UserDisabled, $"The user {key.UserId} is disabled.", Amounts: amounts));
        return new(new(credits, null, null), null);
    }

    private bool LetLapsedGo()
    {
        var lapsed = holds.Values.Where(held => services.Time.GetElapsedTime(held.Since) >= services.Options.Lease).ToList();
        foreach (var held in lapsed) holds.Remove(held.By.ReportId);
        services.Metrics.LeasesLapsed.Add(lapsed.Count);
        return lapsed.Count > 0;
    }
}
