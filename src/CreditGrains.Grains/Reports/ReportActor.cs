using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IReport"/>
public class ReportActor(ActorServices services, ReportKey key) : IReport
{
    private readonly Gate gate = new();
    private readonly Cached<Report?> record = new(() => services.Store.Report(key));
    private Claimant? opened;

    public async Task<ReportAnswer> Submit(SubmitReport submit)
    {
        using var turn = await gate.Enter();
        var recalled = await record.Get() is { } made ? Recall(made, submit) : null;
        if (!submit.DryRun) return recalled ?? await Make(submit);
        return recalled switch
        {
            null => await Rehearse(submit),
            ReportAnswer.Replayed(var report) => new ReportAnswer.Rehearsed(report, null),
            ReportAnswer.Refused(var reused) => await Rehearse(submit) with { Refusal = reused },
            _ => throw new InvariantException($"a report is not recalled as {recalled}"),
        };
    }

    private ReportAnswer Recall(Report made, SubmitReport submit) =>
        made.Answers(submit.ContractId, submit.UserId, submit.Players.Select(player => player.PlayerId))
            ? new ReportAnswer.Replayed(made)
            : new ReportAnswer.Refused(new(RefusalCode.ReportIdReused, $"The report {key.ReportId} stands for another request."));

    // Tries until it is durable or refused. The rank stays the same through all attempts, so that it gets older, not starved.
    private async Task<ReportAnswer> Make(SubmitReport submit)
    {
        opened ??= new(key.ReportId, services.RealNow, 0);
        var started = services.Time.GetTimestamp();
        for (var pause = 1; services.Time.GetElapsedTime(started) < Limits.Patience; pause = Math.Min(2 * pause, 1000))
        {
            if (submit.Key is { } given && await Remembered.Recall(services.Store, key.ClientId, given) is { } remembered && remembered.Fingerprint != given.Fingerprint)
                return new ReportAnswer.Refused(Remembered.KeyReused);
            var answer = await Attempt(submit);
            if (answer is ReportAnswer.First) return answer;

            // Outdated, lost or refused: its own record says whether it happened all the same (R5).
            record.Drop();
            if (await record.Get() is { } made) return Recall(made, submit) is ReportAnswer.Replayed ? new ReportAnswer.First(made) : Recall(made, submit);
            if (answer is not null) return answer;
            services.Metrics.ReportRetries.Add(1);
            await Task.Delay(TimeSpan.FromMilliseconds(pause), services.Time);
        }
        record.Drop();
        throw new StoreUnavailableException("The report could not be settled in time; the same request may be sent again.");
    }

    // One try: claims, hold, charge. null: ask again.
    private async Task<ReportAnswer?> Attempt(SubmitReport submit)
    {
        var allocation = services.Actors.Allocation(new(submit.ContractId, submit.UserId));
        var charged = ImmutableArray<Credit>.Empty;
        var outdated = true;
        try
        {
            var players = await ClaimAll(submit);
            var toCharge = players.Count(player => player.Claimed);
            var held = await allocation.Hold(opened!, toCharge);
            if (held is { Hold: null, Refusal: null }) return null;
            if (held.Refusal is { } refused)
            {
                // R2 in its order, at one moment: the user is refused before and after the contract was asked.
                var explained = await services.Actors.Contract(submit.ContractId).Explain(refused);
                outdated = (explained.Code == refused.Code && (await allocation.Peek(toCharge)).Refusal?.Code != refused.Code)
                    || (explained.Code == RefusalCode.InsufficientAllocation && !await AreStill(players));
                return outdated ? null : new ReportAnswer.Refused(explained);
            }

            switch (await services.Actors.Contract(submit.ContractId).Charge(new(key, submit.UserId, submit.Actor, players, held.Hold!) { Request = Request(submit) }))
            {
                case ChargeAnswer.Charged(var made, var credits):
                    record.Set(made);
                    charged = credits;
                    outdated = false;
                    return new ReportAnswer.First(made);
                case ChargeAnswer.Refused(var refusal):
                    // R2: the pool comes after the user, and the promise may have been made on an old read.
                    outdated = !await AreStill(players) || (refusal.Code == RefusalCode.InsufficientContractCredits && (await allocation.Peek(toCharge)).Refusal is not null);
                    return outdated ? null : new ReportAnswer.Refused(refusal);
                default:
                    return null;
            }
        }
        catch (Exception e) when (services.Actors.IsLost(e))
        {
            return null;
        }
        finally
        {
            LetGo(submit, opened!, allocation, charged, outdated);
        }
    }

    private KeyedRequest? Request(SubmitReport submit) => submit.Key is { } given ? new(key.ClientId, given.Key, given.Fingerprint, key.ReportId) : null;

    // Wait-die: whoever meets an older claim lets all of its own go, waits for that player and asks for all again (R4). Each time counts as an attempt, so that a late release of the one before frees nothing.
    private async Task<ImmutableArray<PlayerOnReport>> ClaimAll(SubmitReport submit)
    {
        while (true)
        {
            var by = opened = opened! with { Attempt = opened.Attempt + 1 };
            var answers = await Task.WhenAll(submit.Players.Select(player => Player(player.PlayerId).Claim(by)));
            var busy = Array.FindIndex(answers, answer => answer.Kind == ClaimKind.Busy);
            if (busy < 0)
                return [.. submit.Players.Zip(answers, (player, answer) => new PlayerOnReport(player.PlayerId, player.Name, answer.Credit, answer.Kind == ClaimKind.Claimed))];

            await Task.WhenAll(submit.Players.Where((_, i) => answers[i].Kind == ClaimKind.Claimed).Select(player => Player(player.PlayerId).Release(by, outdated: false)));
            await Player(submit.Players[busy].PlayerId).WhenFree(by);
        }
    }

    // A refusal says how many had to be charged: where somebody got a credit since, through another activation, after a lapsed lease or by hand, or is covered no longer, all are asked again.
    private async Task<bool> AreStill(ImmutableArray<PlayerOnReport> players)
    {
        var credits = await Task.WhenAll(players.Select(player => Player(player.PlayerId).Peek()));
        var now = services.Clock.Now;
        return players.Zip(credits).All(pair => pair.First.Claimed == !(pair.Second is { } credit && credit.CoversAt(now)));
    }

    // Tells everyone how it ended; nobody waits for it, and who does not hear it finds out when the lease is over.
    private void LetGo(SubmitReport submit, Claimant by, IAllocation allocation, ImmutableArray<Credit> charged, bool outdated)
    {
        var credits = charged.ToDictionary(credit => credit.PlayerId!);
        foreach (var player in submit.Players)
            _ = Tell(credits.TryGetValue(player.PlayerId, out var credit) ? Player(player.PlayerId).Settle(by, credit) : Player(player.PlayerId).Release(by, outdated));
        _ = Tell(allocation.Settle(by, used: !charged.IsEmpty));
        if (outdated) _ = Tell(allocation.Forget());
    }

    private async Task Tell(Task told)
    {
        try
        {
            await told;
        }
        catch (Exception e) when (services.Actors.IsLost(e))
        {
            // The lease ends what this message would have ended.
        }
    }

    private async Task<ReportAnswer.Rehearsed> Rehearse(SubmitReport submit)
    {
        var now = services.Clock.Now;
        var credits = await Task.WhenAll(submit.Players.Select(player => Player(player.PlayerId).Peek()));
        var players = submit.Players.Zip(credits, (player, credit) => new PlayerOnReport(player.PlayerId, player.Name, credit, Claimed: credit is null || !credit.CoversAt(now))).ToImmutableArray();
        var contract = services.Actors.Contract(submit.ContractId);
        var held = await services.Actors.Allocation(new(submit.ContractId, submit.UserId)).Peek(players.Count(player => player.Claimed));
        if (held.Refusal is { } refused) return Outline(submit, players, now, await contract.Explain(refused));
        return await contract.Rehearse(new(key, submit.UserId, submit.Actor, players, held.Hold!)) switch
        {
            ChargeAnswer.Charged(var report, _) => new ReportAnswer.Rehearsed(report, null),
            ChargeAnswer.Refused(var refusal) => Outline(submit, players, now, refusal),
            _ => await Rehearse(submit),
        };
    }

    // What a refused report would have been.
    private ReportAnswer.Rehearsed Outline(SubmitReport submit, ImmutableArray<PlayerOnReport> players, Instant now, Refusal refusal) => new(
        new(key.ReportId, key.ClientId, submit.ContractId, submit.UserId, now, players.Count(player => player.Claimed), players.Count(player => !player.Claimed),
            [.. players.Select(player => player.Claimed
                ? new PlayerOutcome(player.PlayerId, PlayerCharge.New, null, null)
                : new PlayerOutcome(player.PlayerId, PlayerCharge.Covered, player.Current!.Id.ToString(), player.Current.ExpiresAt))],
            new(refusal.Amounts?.UserAvailable, refusal.Amounts?.ContractRemaining)),
        refusal);

    private IPlayerCredit Player(string playerId) => services.Actors.PlayerCredit(new(key.ClientId, playerId));
}
