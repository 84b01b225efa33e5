using CreditGrains.Domain;
using NodaTime;
using Orleans.Placement;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IAllocationGrain"/>
[PreferLocalPlacement]
public sealed class AllocationGrain(IGrainContext context, GrainServices services) : IAllocationGrain, IGrainBase, IRemindable
{
    private readonly AllocationKey key = AllocationKey.Parse(context.GrainId.Key.ToString()!);
    private readonly DueReminder reminder = new(services);
    private Allowance? known;
    private Instant asOf;
    private Instant? due;

    public IGrainContext GrainContext => context;

    // The instant is taken before the row is read: what happens in between is not told of another time. Where the contract has something due, the row is
    // read again behind the contract.
    public async Task<AllocationRow?> Read()
    {
        var now = services.Clock.Now;
        if (await Load() is not { } user) return null;
        var contract = due <= Instant.Max(now, asOf) ? await services.Store.Contract(key.ContractId) : null;
        if (contract is not null && await Load() is { } later) user = later;
        now = Instant.Max(now, asOf);
        var member = contract?.MemberAt(user.Member!, now) ?? user.Member!;
        return AllocationRow.Of(member, user.Terms, now) with { TimeZone = user.Terms.TimeZone };
    }

    public async Task Note(Member row)
    {
        if (known is null) await Load();
        else if (row.Version > known.Member!.Version) known = known with { Member = row };
        if (known is not null) await reminder.Set(this, known.Member!.Allocation.NextDue(known.Terms));
    }

    public Task WakeUp() => ReceiveReminder("", default);

    // Those of an idle user that renew together, at midnight, do not stay in memory together.
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await reminder.Rang(this, await Book());
        this.DeactivateOnIdle();
    }

    // A contract that charges the user books them too; whoever is second finds them booked.
    private async Task<Instant?> Book()
    {
        while (await Load() is { } user)
        {
            var now = Instant.Max(services.Clock.Now, user.Member!.AsOf);
            if (!(user.Member.Allocation.NextDue(user.Terms) <= now)) return user.Member.Allocation.NextDue(user.Terms);
            var (member, renewals) = user.RollForward(now);
            var change = MemberChange.Of(user.Terms, user.Member, member, now);
            switch (await services.Store.Commit(new(user.Terms.ClientId, [change, .. renewals])))
            {
                case CommitResult.Done:
                    services.Metrics.NoteDelays(renewals);
                    break;
                case CommitResult.Unknown(var cause):
                    throw new StoreUnavailableException("The renewal could not be booked.", cause);
            }
        }
        return null;
    }

    private async Task<Allowance?> Load()
    {
        var stored = await services.Store.Member(key);
        asOf = Instant.Max(stored?.Contract.AsOf ?? asOf, stored?.Member.AsOf ?? asOf);
        due = stored?.Contract.DueAt;
        return known = stored?.AsAllowance();
    }
}
