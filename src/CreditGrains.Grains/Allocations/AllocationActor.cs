using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IAllocation"/>
public class AllocationActor(ActorServices services, AllocationKey key) : IAllocation
{
    private readonly Cached<Allowance?> stored = new(async () => (await services.Store.Member(key))?.AsAllowance());
    private readonly Dictionary<string, Held> holds = [];
    private readonly Signal freed = new(services.Time);
    private readonly Gate booking = new();

    private sealed record Held(Claimant By, Hold Hold, long Since, int Reading);

    public async Task<HoldAnswer> Hold(Claimant by, long credits)
    {
        var asked = services.Time.GetTimestamp();
        while (true)
        {
            var answer = await Look(credits);
            if (answer.Hold is null) return answer;

            // What can be used is there, but others may hold it: nobody is refused because of what is then let go.
            var known = await stored.Get();

            // From here to the wait nothing else happens, so that no settling is missed.
            var others = holds.Values.Where(held => held.By.ReportId != by.ReportId).Select(held => held.Hold).ToList();
            if (known?.Decide(credits, others, services.Clock.Now) is { Refusal: null, Value: { } hold })
            {
                holds[by.ReportId] = new(by, hold, services.Time.GetTimestamp(), stored.Readings);
                return new(hold, null);
            }

            // It was used up meanwhile, and there is nobody to wait for.
            if (others.Count == 0) continue;

            // No longer than half a lease: what the report has claimed of players shall not lapse meanwhile.
            var left = Limits.Lease / 2 - services.Time.GetElapsedTime(asked);
            if (left <= TimeSpan.Zero) return new(null, null);
            await freed.Wait(left);
        }
    }

    public async Task<HoldAnswer> Peek(long credits)
    {
        LetLapsedGo();
        stored.Drop();
        return await Answer(credits);
    }

    public async Task Settle(Claimant by, bool used)
    {
        if (holds.GetValueOrDefault(by.ReportId) is not { } held || held.By != by) return;
        holds.Remove(by.ReportId);
        freed.Raise();
        if (!used) return;

        // What was read anew meanwhile may know of this use already.
        if (held.Reading != stored.Readings || !stored.IsKnown || await stored.Get() is not { } allowance)
        {
            stored.Drop();
            return;
        }
        stored.Set(allowance.After(held.Hold));
        if (held.Hold is { OfCycle: > 0, Until: { } due }) services.Wakeups.Schedule(key, due);
    }

    public Task Forget()
    {
        stored.Drop();
        return Task.CompletedTask;
    }

    public async Task WakeUp()
    {
        stored.Drop();
        await Book();
    }

    // A refusal is never given on what was read before it was asked for.
    private async Task<HoldAnswer> Look(long credits)
    {
        if (LetLapsedGo()) stored.Drop();
        var asked = stored.IsAsked;
        var answer = await Answer(credits);
        if (answer.Refusal is null || !asked) return answer;
        stored.Drop();
        return await Answer(credits);
    }

    private async Task<HoldAnswer> Answer(long credits)
    {
        if (await Book() is not { } allowance)
            return new(null, new(RefusalCode.UserNotAssigned, $"The user {key.UserId} is not assigned to the contract.", Amounts: new(credits, null, null, null)));
        var decision = allowance.Decide(credits, [], services.Clock.Now);
        return new(decision.Value, decision.Refusal);
    }

    /// <summary>The allowance with every cycle booked that has begun (T3).</summary>
    protected async Task<Allowance?> Book()
    {
        while (true)
        {
            if (await stored.Get() is not { } allowance) return null;
            if (allowance.IsBooked(services.Clock.Now)) return allowance;
            using var turn = await booking.Enter();
            if (!stored.IsKnown || await stored.Get() is not { } newest) continue;

            var (next, changes) = newest.RollForward(services.Clock.Now);
            if (changes.IsNothing) continue;
            var reading = stored.Readings;
            if (await services.Store.Commit(new([], [], changes)) is CommitResult.Done && reading == stored.Readings) stored.Set(next);
            else stored.Drop();
        }
    }

    private bool LetLapsedGo()
    {
        var lapsed = holds.Values.Where(held => services.Time.GetElapsedTime(held.Since) >= Limits.Lease).ToList();
        foreach (var held in lapsed) holds.Remove(held.By.ReportId);
        if (lapsed.Count > 0) freed.Raise();
        services.Metrics.LeasesLapsed.Add(lapsed.Count);
        return lapsed.Count > 0;
    }
}
