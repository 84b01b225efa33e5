using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IPlayerCredit"/>
public class PlayerCreditActor(ActorServices services, PlayerKey key) : IPlayerCredit
{
    private readonly Cached<Credit?> current = new(() => services.Store.CurrentCredit(key));
    private readonly List<Claimant> waiting = [];
    private readonly Signal free = new(services.Time);
    private Claimant? holder;
    private long heldSince;

    public async Task<ClaimAnswer> Claim(Claimant by)
    {
        var asked = services.Time.GetTimestamp();
        var waited = false;
        var reread = false;
        try
        {
            while (true)
            {
                var credit = await current.Get();
                if (LetLapsedGo()) continue;
                if (holder != by && by.Continues(holder)) LetGo(holder!);

                // The end of a coverage may have been booked meanwhile by a sweeper, who tells nobody.
                if (!reread && credit is { ExpiryBooked: false } && !credit.CoversAt(services.Clock.Now))
                {
                    current.Drop();
                    reread = true;
                    continue;
                }

                var busy = IsBusyFor(by);
                if (!busy && !(credit is not null && credit.CoversAt(services.Clock.Now)))
                {
                    holder = by;
                    heldSince = services.Time.GetTimestamp();
                    return new(ClaimKind.Claimed, credit);
                }
                // No longer than half a lease: what the report holds of other players shall not lapse meanwhile.
                var left = Limits.Lease / 2 - services.Time.GetElapsedTime(asked);
                if (!busy || Yields(by) || left <= TimeSpan.Zero)
                    return new(busy ? ClaimKind.Busy : ClaimKind.Covered, credit);
                waited = true;
                waiting.Add(by);
                await free.Wait(left < LeaseLeft() ? left : LeaseLeft());
                waiting.Remove(by);
            }
        }
        finally
        {
            // However it ended, younger ones may be waiting for the end of this wait.
            if (waited) free.Raise();
        }
    }

    public async Task<Credit?> Peek()
    {
        current.Drop();
        return await current.Get();
    }

    public Task Release(Claimant by, bool outdated)
    {
        if (outdated) current.Drop();
        LetGo(by);
        return Task.CompletedTask;
    }

    public Task Settle(Claimant by, Credit credit)
    {
        if (holder == by) current.Set(credit);
        LetGo(by);
        return Task.CompletedTask;
    }

    public async Task WhenFree(Claimant by)
    {
        var asked = services.Time.GetTimestamp();
        while (!LetLapsedGo() && IsBusyFor(by) && services.Time.GetElapsedTime(asked) < Limits.Lease)
            await free.Wait(LeaseLeft());
    }

    // Another report or a later attempt of this one holds the claim, or an older report waits for it.
    private bool IsBusyFor(Claimant by) =>
        (holder is not null && !by.Continues(holder)) || waiting.Any(other => other.IsOlderThan(by));

    // Waiting goes from older to younger only, so that nobody waits in a circle (wait-die).
    private bool Yields(Claimant by) =>
        (holder is not null && (holder.IsOlderThan(by) || holder.ReportId == by.ReportId)) || waiting.Any(other => other.IsOlderThan(by));

    private void LetGo(Claimant by)
    {
        if (holder != by) return;
        holder = null;
        free.Raise();
    }

    private TimeSpan LeaseLeft() => holder is null ? Limits.Lease : Limits.Lease - services.Time.GetElapsedTime(heldSince);

    // After a lease the report may have committed without a word: the store is asked before anything is answered.
    private bool LetLapsedGo()
    {
        if (holder is null || LeaseLeft() > TimeSpan.Zero) return false;
        services.Metrics.LeasesLapsed.Add(1);
        current.Drop();
        LetGo(holder);
        return true;
    }
}
