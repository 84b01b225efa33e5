using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>Writes one commit's rows, each against its fence.</summary>
internal sealed class Applying(Database database)
{
    /// <summary>Answers the keys of all fences that were not as expected; where there is one, the caller takes back what was written.</summary>
    public ImmutableHashSet<string> Apply(Commit commit)
    {
        var failed = ImmutableHashSet.CreateBuilder<string>();
        var changes = commit.Changes;
        foreach (var guard in commit.Guards) Expect(Holds(guard), guard.Key);
        foreach (var cover in changes.CoveredBy) Expect(Covers(cover), cover.CoverKey());
        foreach (var document in commit.Documents) Expect(Write(document), document.Key);
        foreach (var lot in changes.Lots) Expect(Write(lot), lot.Key());
        foreach (var credit in changes.Credits) Expect(Write(credit), credit.Key());

        // A use counts only where its user may still consume after this very commit.
        foreach (var change in changes.Switches) Write(change);
        foreach (var member in changes.Members) Expect(Write(member), member.Key());
        foreach (var cycle in changes.Cycles) Expect(Write(cycle), cycle.Key());
        foreach (var back in changes.GivenBack) Expect(Write(back), back.Key());
        foreach (var use in changes.Uses) Expect(Write(use), use.Key());
        foreach (var report in changes.Reports) Expect(Write(report), report.Key());
        foreach (var purchase in changes.Purchases) Expect(ServicesRows.Write(database, purchase), purchase.Key());
        foreach (var project in changes.Projects) Expect(ServicesRows.Write(database, project), project.Key());
        foreach (var milestone in changes.Milestones) Expect(ServicesRows.Write(database, milestone), milestone.Key());
        foreach (var consumption in changes.Consumptions) Expect(ServicesRows.Write(database, consumption), consumption.Key());
        if (failed.Count == 0)
            foreach (var entry in changes.Entries) Append(entry);
        if (commit.ForgetUntil is { } until)
            database[$"delete from documents where kind in ('{Remembered.Preview}', '{Remembered.Request}') and due_at <= ?"].Bind(until).Run();
        return failed.ToImmutable();

        void Expect(bool asExpected, string key)
        {
            if (!asExpected) failed.Add(key);
        }
    }

    private bool Holds(Guard guard) => guard.Version == 0
        ? !database["select 1 from documents where kind = ? and id = ?"].Bind(guard.Kind).Bind(guard.Id).Any()
        : database["select 1 from documents where kind = ? and id = ? and version = ?"].Bind(guard.Kind).Bind(guard.Id).Bind(guard.Version).Any();

    private bool Write(DocumentWrite document) => document.Expected == 0
        ? database["insert into documents (kind, id, version, body, owner, as_of, due_at) values (?, ?, 1, ?, ?, ?, ?) on conflict do nothing"]
            .Bind(document.Kind).Bind(document.Id).Bind(document.Body).Bind(document.Owner).Bind(document.AsOf).Bind(document.DueAt).Run() == 1
        : database["update documents set version = version + 1, body = coalesce(?, body), owner = ?, as_of = ?, due_at = ? where kind = ? and id = ? and version = ?"]
            .Bind(document.Body).Bind(document.Owner).Bind(document.AsOf).Bind(document.DueAt).Bind(document.Kind).Bind(document.Id).Bind(document.Expected).Run() == 1;

    private bool Write(LotChange change)
    {
        var (key, lot) = (Rows.LotKey(change.ContractId, change.Lot.LotId, change.Lot.Apart), change.Lot);
        return change.IsNew
            ? database["""
                insert into lots (key, contract_id, lot_id, client_id, source, payment_id, quantity, free, created_at, available_from, asked_expiry, expires_at, expiry_booked, request, apart, is_open)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
                """]
                .Bind(key).Bind(change.ContractId).Bind(lot.LotId).Bind(change.ClientId).Bind(lot.Source.ToString()).Bind(lot.PaymentId).Bind(lot.Quantity).Bind(lot.Free.ToString())
                .Bind(lot.CreatedAt).Bind(lot.AvailableFrom).Bind(lot.AskedExpiry).Bind(lot.ExpiresAt).Bind(lot.ExpiryBooked).Bind(lot.Request).Bind(lot.Apart).Bind(lot.IsOpen).Run() == 1
            : database["update lots set quantity = ?, free = ?, asked_expiry = ?, expires_at = ?, expiry_booked = ?, is_open = ? where key = ? and free = coalesce(?, free)"]
                .Bind(lot.Quantity).Bind(lot.Free.ToString()).Bind(lot.AskedExpiry).Bind(lot.ExpiresAt).Bind(lot.ExpiryBooked).Bind(lot.IsOpen).Bind(key).Bind(change.From?.ToString()).Run() == 1;
    }

    private const string IsStill = "lot = ? and ordinal = ? and version = ? and player_id is ? and report_id is ?";

    private bool Write(CreditChange change)
    {
        var (credit, key) = (change.Credit, Rows.LotKey(change.Credit.Id.ContractId, change.Credit.Id.LotId));
        if (change.IsGone)
            return database[$"delete from credits where {IsStill}"].Bind(key).Bind(credit.Id.Ordinal).Bind(change.Expected).Bind(credit.PlayerId).Bind(credit.ReportId).Run() == 1;
        return change.Expected == 0
            ? database["""
                insert into credits (lot, ordinal, client_id, used_by, player_id, player_name, created_at, expires_at, activated_at, report_id, is_current, expiry_booked, minted, version, used_of)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
                """]
                .Bind(key).Bind(credit.Id.Ordinal).Bind(credit.ClientId).Bind(credit.UsedBy).Bind(credit.PlayerId).Bind(credit.PlayerName).Bind(credit.CreatedAt).Bind(credit.ExpiresAt)
                .Bind(credit.ActivatedAt).Bind(credit.ReportId).Bind(credit.IsCurrent).Bind(credit.ExpiryBooked).Bind(credit.Id.LotId == Lot.MintedId).Bind(credit.Version).Bind(credit.UsedOf).Run() == 1
            : database[$"""
                update or ignore credits set used_by = ?, player_name = ?, expires_at = ?, activated_at = ?, is_current = ?, expiry_booked = ?, version = ?, used_of = ?
                where {IsStill}
                """]
                .Bind(credit.UsedBy).Bind(credit.PlayerName).Bind(credit.ExpiresAt).Bind(credit.ActivatedAt).Bind(credit.IsCurrent).Bind(credit.ExpiryBooked).Bind(credit.Version).Bind(credit.UsedOf)
                .Bind(key).Bind(credit.Id.Ordinal).Bind(change.Expected).Bind(credit.PlayerId).Bind(credit.ReportId).Run() == 1;
    }

    private bool Covers(Credit credit) => database[$"select 1 from credits where {IsStill}"]
        .Bind(Rows.LotKey(credit.Id.ContractId, credit.Id.LotId)).Bind(credit.Id.Ordinal).Bind(credit.Version).Bind(credit.PlayerId).Bind(credit.ReportId).Any();

    private bool Write(GiveBack back) => database["""
        update members set total_used = total_used - ?1, used_in_cycle = used_in_cycle - ?2, extra_used = extra_used - ?3
        where contract_id = ?4 and user_id = ?5 and restarts = coalesce(?6, restarts) and cycle = coalesce(?7, cycle)
        """].Bind(back.Credits).Bind(back.OfCycle).Bind(back.OfExtra).Bind(back.ContractId).Bind(back.UserId).Bind(back.Cycle?.Restarts).Bind(back.Cycle?.Cycle).Run() == 1;

    private const string IsEnabled = "not exists (select 1 from disabled_users d where d.client_id = members.client_id and d.user_id = members.user_id)";

    private void Write(UserSwitch change) => database[change.Disabled
        ? "insert into disabled_users (client_id, user_id) values (?, ?) on conflict do nothing"
        : "delete from disabled_users where client_id = ? and user_id = ?"].Bind(change.ClientId).Bind(change.UserId).Run();

    private bool Write(MemberChange change)
    {
        var (member, allocation) = (change.Member, change.Member.Allocation);
        if (change.From is not { } from)
            return database["""
                insert into members (contract_id, user_id, client_id, name, assigned, total_used, settings, start_date, amount, restarts, cycle) values (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)
                on conflict do nothing
                """]
                .Bind(change.ContractId).Bind(member.UserId).Bind(change.ClientId).Bind(member.Name).Bind(member.Assigned)
                .Bind(Rows.Settings(allocation)).Bind(Rows.StartDate(allocation)).Bind(allocation.Settings?.Amount).Bind(allocation.Restarts).Bind(allocation.Cycle).Run() == 1;
        var kept = database[$"""
            update members set name = ?, assigned = ?, extra_credits = ? where contract_id = ? and user_id = ?
            and (? = 0 or {IsEnabled})
            """]
            .Bind(member.Name).Bind(member.Assigned).Bind(allocation.ExtraCredits).Bind(change.ContractId).Bind(member.UserId).Bind(change.MustBeEnabled).Run() == 1;
        return kept && (from.Restarts == allocation.Restarts || database["""
            update members set settings = ?, start_date = ?, amount = ?, restarts = ?, cycle = ?, used_in_cycle = 0, due_at = null where contract_id = ? and user_id = ? and restarts = ? and cycle = ?
            """]
            .Bind(Rows.Settings(allocation)).Bind(Rows.StartDate(allocation)).Bind(allocation.Settings?.Amount).Bind(allocation.Restarts).Bind(allocation.Cycle)
            .Bind(change.ContractId).Bind(member.UserId).Bind(from.Restarts).Bind(from.Cycle).Run() == 1);
    }

    private bool Write(CycleChange change) => database["""
        update members set cycle = ?, used_in_cycle = 0, due_at = null where contract_id = ? and user_id = ? and restarts = ? and cycle = ? and used_in_cycle = ?
        """].Bind(change.To).Bind(change.ContractId).Bind(change.UserId).Bind(change.From.Restarts).Bind(change.From.Cycle).Bind(change.UsedInCycle).Run() == 1;

    // A4: no more than the amount; extra credits only where the cycle is used up.
    private bool Write(Use use)
    {
        const string MayConsume = $"assigned = 1 and {IsEnabled}";
        return use.Cycle is not { } cycle
            ? database[$"update members set total_used = total_used + ? where contract_id = ? and user_id = ? and {MayConsume}"].Bind(use.Credits).Bind(use.ContractId).Bind(use.UserId).Run() == 1
            : database[$"""
                update members set total_used = total_used + ?1, used_in_cycle = used_in_cycle + ?2, extra_used = extra_used + ?3, due_at = coalesce(?4, due_at)
                where contract_id = ?5 and user_id = ?6 and restarts = ?7 and cycle = ?8 and extra_credits = coalesce(?9, extra_credits) and {MayConsume}
                and (?2 = 0 or amount is null or used_in_cycle + ?2 <= amount)
                and (?3 = 0 or (extra_used + ?3 <= extra_credits and (settings is null or cycle < 0 or used_in_cycle + ?2 = amount)))
                """]
                .Bind(use.Credits).Bind(use.OfCycle).Bind(use.OfExtra).Bind(use.DueAt).Bind(use.ContractId).Bind(use.UserId).Bind(cycle.Restarts).Bind(cycle.Cycle).Bind(use.ExtraCredits).Run() == 1;
    }

    private bool Write(Report report) =>
        database["insert into reports (client_id, report_id, contract_id, user_id, at, charged, covered, body) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"]
            .Bind(report.ClientId).Bind(report.ReportId).Bind(report.ContractId).Bind(report.UserId).Bind(report.At).Bind(report.Charged).Bind(report.Covered).Bind(Json.Write(report)).Run() == 1;

    private void Append(Entry entry) => database["""
        insert into entries (kind, effective_at, booked_at, actor, reason, cause, subject, quantity, before, after, client_id, contract_id, user_id, report_id, lot_id, used_of, services_credits, account_id)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """]
        .Bind(entry.Kind.ToString()).Bind(entry.EffectiveAt).Bind(entry.BookedAt).Bind(entry.Actor).Bind(entry.Reason).Bind(entry.Cause).Bind(entry.Subject).Bind(entry.Quantity)
        .Bind(entry.Before).Bind(entry.After).Bind(entry.ClientId).Bind(entry.ContractId).Bind(entry.UserId).Bind(entry.ReportId).Bind(entry.LotId).Bind(entry.UsedOf)
        .Bind(entry.ServicesCredits).Bind(entry.AccountId).Run();
}
