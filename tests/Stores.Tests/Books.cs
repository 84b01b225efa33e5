using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Keeps the books of contracts in a store as their grains do: read, decide, commit, one command after another.</summary>
internal sealed class Books(IStore store)
{
    public static readonly Instant Start = Instant.FromUtc(2026, 3, 1, 0, 0);

    public Instant Now { get; set; } = Start;

    /// <summary>A contract with one lot, and users who may use it.</summary>
    public async Task Agree(
        string contractId, long credits, ImmutableArray<string> users, string clientId = "acme", ContractType type = ContractType.Metered,
        BillingCycle? billing = null, string timeZone = "UTC")
    {
        var terms = new Terms(
            contractId, clientId, contractId, type, timeZone, new(2026, 1, 1), null, 30, 30, CoverageFrom.Activation, billing);
        await Set(terms);
        if (credits > 0) await Grant(contractId, "L1", credits);
        ImmutableArray<UserName> named = [.. users.Select(user => new UserName(user, user))];
        var known = await store.UserRows(clientId, users);
        await Decide(contractId, contract => Of(Membership.Replace(contract with { Strangers = known }, named, "test", Now)));
    }

    public Task Set(Terms terms) =>
        Decide(terms.ContractId, contract => Of(Agreeing.Decide(contract, new(terms, null, "test"), Now).Value!));

    public Task Remove(string contractId, string userId) =>
        Decide(contractId, contract => Of(Membership.Remove(contract, userId, "test", Now).Value!));

    public Task Grant(string contractId, string lotId, long credits, string payment = "PAY", Instant? expiresAt = null) => Decide(
        contractId, contract =>
            Of(Granting.Decide(contract, new(lotId, LotSource.Purchase, payment, credits, null, expiresAt, "test"), Now).Value!));

    /// <summary>Takes credits of a lot back; null: all.</summary>
    public async Task Withdraw(string contractId, string lotId, long? credits)
    {
        var stored = await store.WholeLot(contractId, lotId);
        await Decide(contractId, contract => Of(LotCorrecting.Decide(contract, stored, new WithdrawCredits(lotId, credits, "why", "ops"), Now).Value!));
    }

    /// <summary>A lot is paid with something else.</summary>
    public async Task Change(string contractId, string lotId, string payment)
    {
        var stored = await store.WholeLot(contractId, lotId);
        var change = new ChangeLot(lotId, payment, null, false, null, false, "why", "ops");
        await Decide(contractId, contract => Of(LotCorrecting.Decide(contract, stored, change, Now).Value!));
    }

    /// <summary>Makes a report; answers null where it was refused.</summary>
    public async Task<Report?> Report(string reportId, string contractId, string userId, IEnumerable<string> players, string clientId = "acme", int? holdSeconds = null)
    {
        ImmutableArray<PlayerName> named = [.. players.Select(player => new PlayerName(player, $"name of {player}"))];
        var report = new ChargeReport(new(clientId, reportId), contractId, userId, named, "test", DryRun: false) { HoldSeconds = holdSeconds };
        var wanted = new Wanted(clientId, contractId) { Players = [.. named.Select(player => player.PlayerId)] };
        var facts = new ReportFacts((await store.Read(wanted)).Players);
        Report? made = null;
        await Decide(contractId, contract =>
        {
            if (Charging.Decide(contract, facts, report, Now).Value is not { } charged) return new(contract, Changes.None);
            made = charged.Answer;
            return new(charged.State, charged.Changes);
        });
        return made;
    }

    /// <summary>Edits a credit; answers whether it could be.</summary>
    public async Task<bool> Edit(EditCredit edit)
    {
        var id = edit.Id;
        var touched = await store.Credit(id);
        var lot = await store.Lot(id.ContractId, id.LotId);
        var clientId = (await store.Contract(id.ContractId))!.Document.Owner;
        var wanted = new Wanted(clientId, id.ContractId) { Players = [.. new[] { touched?.PlayerId, edit.PlayerId }.OfType<string>().Distinct()] };
        var players = (await store.Read(wanted)).Players;
        var keys = edit.Endings(touched);
        var seen = new SeenCredit(
            lot, touched, await store.Lot(id.ContractId, id.LotId, id.Ordinal),
            touched?.PlayerId is { } owner ? players.GetValueOrDefault(owner) : null,
            edit.PlayerId is { } next ? players.GetValueOrDefault(next) ?? Player.Unknown(clientId, next) : null)
        {
            Endings = new(keys, (await store.Read(new(clientId, id.ContractId) { Endings = keys })).Endings),
        };
        var edited = false;
        await Decide(id.ContractId, contract =>
        {
            if (Editing.Decide(contract, seen, edit, Now).Value is not { } changed) return new(contract, Changes.None);
            edited = true;
            return Of(changed);
        });
        return edited;
    }

    /// <summary>Time passes; what falls due of these contracts and clients is booked.</summary>
    public async Task Advance(Instant to, params ImmutableArray<string> clients)
    {
        Now = to;
        foreach (var contractId in await store.DueContracts(Now, 100)) await Decide(contractId, contract => new(contract, Changes.None));
        foreach (var client in clients) await Done(client, Coverage.Expire(await store.DueEndings(client, Now, 10_000), Now));
    }

    /// <summary>Decides on a contract as it is with all that fell due, and commits.</summary>
    public async Task Decide(string contractId, Func<Contract, Changed<Contract>> decide)
    {
        var stored = await store.Contract(contractId);
        var before = stored?.AsContract(await store.Members(contractId));
        var rolled = before?.RollForward(Now);
        var changed = decide(rolled?.State!);
        var (after, due) = (changed.State, rolled?.Changes ?? Changes.None);
        var plan = after.Plan == Plan.Initial ? null : after.Plan;
        var body = Json.Write(new { Schema = 1, Value = new ContractDocument(after.Terms, after.Revision, plan, after.HasApart) });
        var expected = stored?.Document.Version ?? 0;
        var document = new DocumentChange(DocumentKind.Contract, contractId, 1, expected, body, after.ClientId, Now, after.NextDue);

        // Of a lot that has just fallen due and is changed again the last word counts.
        var lots = changed.Changes.Lots.Select(change => change.Row).ToHashSet();
        await Done(after.ClientId,
            [document, .. due.Where(change => change is not LotChange lot || !lots.Contains(lot.Row)), .. changed.Changes]);
    }

    private async Task Done(string clientId, Changes changes) =>
        Assert.IsType<CommitResult.Done>(await store.Commit(new(clientId, changes)));

    private static Changed<Contract> Of<TAnswer>(Changed<Contract, TAnswer> changed) => new(changed.State, changed.Changes);
}

internal static class Paging
{
    /// <summary>All items of a list, page by page; from its end to its beginning they are the same.</summary>
    public static async Task<List<T>> All<T>(Func<PageRequest, Task<Page<T>>> read, int limit)
    {
        var all = await All(read, limit, isDescending: false);
        Assert.Equal(all.Select(item => Json.Write(item)).Reverse(), (await All(read, limit, isDescending: true)).Select(item => Json.Write(item)));
        return all;
    }

    private static async Task<List<T>> All<T>(Func<PageRequest, Task<Page<T>>> read, int limit, bool isDescending)
    {
        var all = new List<T>();
        for (string? after = null; ;)
        {
            var page = await read(new(limit, after, isDescending));
            Assert.InRange(page.Items.Length, 0, limit);
            all.AddRange(page.Items);
            if (page.Next is null) return all;
            after = page.Next;
        }
    }
}
