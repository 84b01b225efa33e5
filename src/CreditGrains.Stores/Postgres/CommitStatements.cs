using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>Many commits as a few set-wise statements over arrays, sent in one round trip as one implicit transaction. A fence that is not as expected raises <see cref="FenceFailed"/> and undoes all of them.</summary>
internal static class CommitStatements
{
    /// <summary>The SQLSTATE that the function <c>expect</c> raises.</summary>
    public const string FenceFailed = "CG001";

    /// <summary>Whether a member m can use what g says (A4): of that cycle and as many extra credits granted, no more than its amount, and extra credits only where the cycle is used up.</summary>
    public const string CanUse = """
        (g.restarts is null or (m.restarts = g.restarts and m.cycle = g.cycle and m.extra_credits = coalesce(g.extra_credits, m.extra_credits)
            and (g.of_cycle = 0 or m.amount is null or m.used_in_cycle + g.of_cycle <= m.amount)
            and (g.of_extra = 0 or (m.extra_used + g.of_extra <= m.extra_credits and (m.settings is null or m.cycle < 0 or m.used_in_cycle + g.of_cycle = m.amount)))))
        """;

    public static NpgsqlBatch Of(IReadOnlyCollection<Commit> commits, NpgsqlConnection connection)
    {
        var changes = Commit.Merge(commits.Select(commit => commit.Changes));
        var batch = new NpgsqlBatch(connection);
        Covers(batch, changes.CoveredBy);
        Documents(batch, [.. commits.SelectMany(commit => commit.Documents).OrderBy(document => document.Key, StringComparer.Ordinal)]);
        Guards(batch, [.. commits.SelectMany(commit => commit.Guards)]);
        Users(batch, changes.Members, changes.Switches);
        NewLots(batch, [.. changes.Lots.Where(lot => lot.IsNew)]);
        Lots(batch, [.. changes.Lots.Where(lot => !lot.IsNew)]);
        Cycles(batch, changes.Cycles);
        GivenBack(batch, changes.GivenBack);
        Uses(batch, changes.Uses);
        GoneCredits(batch, [.. changes.Credits.Where(change => change.IsGone)]);
        Credits(batch, [.. changes.Credits.Where(change => change is { Expected: > 0, IsGone: false })]);
        NewCredits(batch, [.. changes.Credits.Where(change => change.Expected == 0).Select(change => change.Credit)]);
        Reports(batch, changes.Reports);
        ServicesStatements.Add(batch, changes);
        Entries(batch, changes.Entries);
        if (commits.Max(commit => commit.ForgetUntil) is { } until)
            Add(batch, $"delete from document where kind in ('{Remembered.Preview}', '{Remembered.Request}') and due_at <= $1", Sql.At(until));
        return batch;
    }

    private static void Documents(NpgsqlBatch batch, ImmutableArray<DocumentWrite> documents)
    {
        if (documents.IsEmpty) return;
        Add(batch, """
            with given as (
                select * from unnest($1, $2, $3, $4, $5, $6, $7) as g (kind, id, expected, owner, body, as_of, due_at)),
            changed as (
                update document d set version = d.version + 1, owner = g.owner, body = coalesce(g.body, d.body), as_of = g.as_of, due_at = g.due_at
                from given g where d.kind = g.kind and d.id = g.id and d.version = g.expected and g.expected > 0
                returning 1),
            made as (
                insert into document (kind, id, version, owner, body, as_of, due_at)
                select kind, id, 1, owner, body, as_of, due_at from given where expected = 0
                on conflict do nothing returning 1)
            select expect((select count(*) from changed) + (select count(*) from made), $8)
            """,
            Sql.Texts(documents.Select(document => document.Kind)), Sql.Texts(documents.Select(document => document.Id)),
            Sql.Numbers(documents.Select(document => document.Expected)), Sql.Texts(documents.Select(document => document.Owner)),
            Sql.Texts(documents.Select(document => document.Body)), Sql.Instants(documents.Select(document => document.AsOf)),
            Sql.Instants(documents.Select(document => document.DueAt)), Sql.Number(documents.Length));
    }

    /// <summary>Whether a credit c is still the player's and report's that g says.</summary>
    public const string IsStill = "c.lot = g.lot and c.ordinal = g.ordinal and c.version = g.expected and c.player_id is not distinct from g.player_id and c.report_id is not distinct from g.report_id";

    private static void Covers(NpgsqlBatch batch, ImmutableArray<Credit> credits)
    {
        if (credits.IsEmpty) return;
        Add(batch, $"select expect((select count(*) from unnest($1, $2, $3, $4, $5) as g (lot, ordinal, expected, player_id, report_id) join credit c on {IsStill}), $6)",
            [.. Fence(credits.Select(credit => (credit, credit.Version))), Sql.Number(credits.Length)]);
    }

    private static void GoneCredits(NpgsqlBatch batch, ImmutableArray<CreditChange> credits)
    {
        if (credits.IsEmpty) return;
        Add(batch, $"""
            with gone as (delete from credit c using unnest($1, $2, $3, $4, $5) as g (lot, ordinal, expected, player_id, report_id) where {IsStill} returning 1)
            select expect((select count(*) from gone), $6)
            """, [.. Fence(credits.Select(change => (change.Credit, change.Expected))), Sql.Number(credits.Length)]);
    }

    /// <summary>The columns of <see cref="IsStill"/>: lot, ordinal, expected, player_id, report_id.</summary>
    public static NpgsqlParameter[] Fence(IEnumerable<(Credit Credit, long Expected)> credits)
    {
        var all = credits.ToList();
        return
        [
            Sql.Texts(all.Select(row => LotKeys.Lot(row.Credit.Id))), Sql.Numbers(all.Select(row => row.Credit.Id.Ordinal)), Sql.Numbers(all.Select(row => row.Expected)),
            Sql.Texts(all.Select(row => row.Credit.PlayerId)), Sql.Texts(all.Select(row => row.Credit.ReportId)),
        ];
    }

    private static void GivenBack(NpgsqlBatch batch, ImmutableArray<GiveBack> backs)
    {
        if (backs.IsEmpty) return;
        Add(batch, """
            with changed as (
                update member m set total_used = m.total_used - g.credits, used_in_cycle = m.used_in_cycle - g.of_cycle, extra_used = m.extra_used - g.of_extra
                from unnest($1, $2, $3, $4, $5, $6, $7) as g (contract_id, user_id, credits, of_cycle, of_extra, restarts, cycle)
                where m.contract_id = g.contract_id and m.user_id = g.user_id and (g.restarts is null or (m.restarts = g.restarts and m.cycle = g.cycle)) returning 1)
            select expect((select count(*) from changed), $8)
            """,
            Sql.Texts(backs.Select(back => back.ContractId)), Sql.Texts(backs.Select(back => back.UserId)), Sql.Numbers(backs.Select(back => back.Credits)), Sql.Numbers(backs.Select(back => back.OfCycle)),
            Sql.Numbers(backs.Select(back => back.OfExtra)), Sql.Integers(backs.Select(back => back.Cycle?.Restarts)), Sql.Integers(backs.Select(back => back.Cycle?.Cycle)), Sql.Number(backs.Length));
    }

    private static void Guards(NpgsqlBatch batch, ImmutableArray<Guard> guards)
    {
        if (guards.IsEmpty) return;
        Add(batch, """
            select expect((select count(*) from unnest($1, $2, $3) as g (kind, id, version) left join document d using (kind, id) where coalesce(d.version, 0) = g.version), $4)
            """,
            Sql.Texts(guards.Select(guard => guard.Kind)), Sql.Texts(guards.Select(guard => guard.Id)),
            Sql.Numbers(guards.Select(guard => guard.Version)), Sql.Number(guards.Length));
    }

    // A user who is disabled while being assigned to one more contract is disabled there too: whoever comes second sees what the first did.
    private static void Users(NpgsqlBatch batch, ImmutableArray<MemberChange> members, ImmutableArray<UserSwitch> switches)
    {
        if (members.IsEmpty && switches.IsEmpty) return;
        Add(batch, "select pg_advisory_xact_lock(h) from (select hashtextextended(u, 0) as h from unnest($1) as g (u) order by 1) g",
            Sql.Texts(members.Select(member => $"{member.ClientId}/{member.Member.UserId}").Concat(switches.Select(user => $"{user.ClientId}/{user.UserId}")).Distinct()));
        NewMembers(batch, [.. members.Where(member => member.From is null)]);
        Members(batch, [.. members.Where(member => member.From is not null)]);
        if (!switches.IsEmpty)
            Add(batch, "update member m set disabled = g.disabled from unnest($1, $2, $3) as g (client_id, user_id, disabled) where m.client_id = g.client_id and m.user_id = g.user_id",
                Sql.Texts(switches.Select(user => user.ClientId)), Sql.Texts(switches.Select(user => user.UserId)), Sql.Flags(switches.Select(user => user.Disabled)));
    }

    private static void NewMembers(NpgsqlBatch batch, ImmutableArray<MemberChange> members)
    {
        if (members.IsEmpty) return;
        Add(batch, """
            with made as (
                insert into member (contract_id, user_id, client_id, name, assigned, settings, start_date, amount, restarts, cycle, disabled)
                select g.*, coalesce((select (d.body::jsonb -> 'value' ->> 'disabled')::boolean from document d where d.kind = 'user' and d.id = g.client_id || '/' || g.user_id), false)
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) as g (contract_id, user_id, client_id, name, assigned, settings, start_date, amount, restarts, cycle)
                on conflict do nothing returning 1)
            select expect((select count(*) from made), $11)
            """,
            Sql.Texts(members.Select(member => member.ContractId)), Sql.Texts(members.Select(member => member.Member.UserId)), Sql.Texts(members.Select(member => member.ClientId)),
            Sql.Texts(members.Select(member => member.Member.Name)), Sql.Flags(members.Select(member => member.Member.Assigned)),
            Sql.Texts(members.Select(member => Sql.Settings(member.Member.Allocation))), Sql.Dates(members.Select(member => member.Member.Allocation.StartDate)),
            Sql.Numbers(members.Select(member => member.Member.Allocation.Settings?.Amount)), Sql.Integers(members.Select(member => member.Member.Allocation.Restarts)),
            Sql.Integers(members.Select(member => member.Member.Allocation.Cycle)), Sql.Number(members.Length));
    }

    // Cycles that start anew end the one that was running, and what was used of it.
    private static void Members(NpgsqlBatch batch, ImmutableArray<MemberChange> members)
    {
        if (members.IsEmpty) return;
        Add(batch, """
            with changed as (
                update member m set name = g.name, assigned = g.assigned, extra_credits = g.extra_credits,
                    settings = case when m.restarts = g.restarts then m.settings else g.settings end, start_date = case when m.restarts = g.restarts then m.start_date else g.start_date end,
                    amount = case when m.restarts = g.restarts then m.amount else g.amount end, cycle = case when m.restarts = g.restarts then m.cycle else g.cycle end,
                    used_in_cycle = case when m.restarts = g.restarts then m.used_in_cycle else 0 end, due_at = case when m.restarts = g.restarts then m.due_at end, restarts = g.restarts
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                    as g (contract_id, user_id, name, assigned, settings, start_date, amount, restarts, cycle, extra_credits, from_restarts, from_cycle, must_be_enabled)
                where m.contract_id = g.contract_id and m.user_id = g.user_id and not (g.must_be_enabled and m.disabled)
                  and (g.restarts = g.from_restarts or (m.restarts = g.from_restarts and m.cycle = g.from_cycle)) returning 1)
            select expect((select count(*) from changed), $14)
            """,
            Sql.Texts(members.Select(member => member.ContractId)), Sql.Texts(members.Select(member => member.Member.UserId)),
            Sql.Texts(members.Select(member => member.Member.Name)), Sql.Flags(members.Select(member => member.Member.Assigned)),
            Sql.Texts(members.Select(member => Sql.Settings(member.Member.Allocation))), Sql.Dates(members.Select(member => member.Member.Allocation.StartDate)),
            Sql.Numbers(members.Select(member => member.Member.Allocation.Settings?.Amount)), Sql.Integers(members.Select(member => member.Member.Allocation.Restarts)),
            Sql.Integers(members.Select(member => member.Member.Allocation.Cycle)), Sql.Numbers(members.Select(member => member.Member.Allocation.ExtraCredits)),
            Sql.Integers(members.Select(member => member.From!.Value.Restarts)), Sql.Integers(members.Select(member => member.From!.Value.Cycle)),
            Sql.Flags(members.Select(member => member.MustBeEnabled)), Sql.Number(members.Length));
    }

    private static void Cycles(NpgsqlBatch batch, ImmutableArray<CycleChange> cycles)
    {
        if (cycles.IsEmpty) return;
        Add(batch, """
            with changed as (
                update member m set cycle = g.next, used_in_cycle = 0, due_at = null
                from unnest($1, $2, $3, $4, $5, $6) as g (contract_id, user_id, restarts, cycle, used_in_cycle, next)
                where m.contract_id = g.contract_id and m.user_id = g.user_id and m.restarts = g.restarts and m.cycle = g.cycle and m.used_in_cycle = g.used_in_cycle returning 1)
            select expect((select count(*) from changed), $7)
            """,
            Sql.Texts(cycles.Select(cycle => cycle.ContractId)), Sql.Texts(cycles.Select(cycle => cycle.UserId)), Sql.Integers(cycles.Select(cycle => cycle.From.Restarts)),
            Sql.Integers(cycles.Select(cycle => cycle.From.Cycle)), Sql.Numbers(cycles.Select(cycle => cycle.UsedInCycle)), Sql.Integers(cycles.Select(cycle => cycle.To)), Sql.Number(cycles.Length));
    }

    private static void NewLots(NpgsqlBatch batch, ImmutableArray<LotChange> lots)
    {
        if (lots.IsEmpty) return;
        Add(batch, """
            with made as (
                insert into lot (key, contract_id, lot_id, client_id, source, payment_id, quantity, free, free_count, created_at, available_from, asked_expiry, expires_at, expiry_booked, request, apart)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                on conflict do nothing returning 1)
            select expect((select count(*) from made), $17)
            """,
            Sql.Texts(lots.Select(lot => LotKeys.Lot(lot))), Sql.Texts(lots.Select(lot => lot.ContractId)), Sql.Texts(lots.Select(lot => lot.Lot.LotId)), Sql.Texts(lots.Select(lot => lot.ClientId)),
            Sql.Texts(lots.Select(lot => lot.Lot.Source.ToSql())), Sql.Texts(lots.Select(lot => lot.Lot.PaymentId)), Sql.Numbers(lots.Select(lot => lot.Lot.Quantity)),
            Sql.Texts(lots.Select(lot => lot.Lot.Free.ToString())), Sql.Numbers(lots.Select(lot => lot.Lot.Free.Count)), Sql.Instants(lots.Select(lot => lot.Lot.CreatedAt)),
            Sql.Instants(lots.Select(lot => lot.Lot.AvailableFrom)), Sql.Instants(lots.Select(lot => lot.Lot.AskedExpiry)), Sql.Instants(lots.Select(lot => lot.Lot.ExpiresAt)),
            Sql.Flags(lots.Select(lot => lot.Lot.ExpiryBooked)), Sql.Texts(lots.Select(lot => lot.Lot.Request)), Sql.Numbers(lots.Select(lot => lot.Lot.Apart)), Sql.Number(lots.Length));
    }

    private static void Lots(NpgsqlBatch batch, ImmutableArray<LotChange> lots)
    {
        if (lots.IsEmpty) return;
        Add(batch, """
            with changed as (
                update lot l set quantity = g.quantity, free = g.free, free_count = g.free_count, asked_expiry = g.asked_expiry, expires_at = g.expires_at, expiry_booked = g.expiry_booked
                from unnest($1, $2, $3, $4, $5, $6, $7, $8) as g (key, quantity, free, free_count, asked_expiry, expires_at, expiry_booked, was_free)
                where l.key = g.key and l.free = coalesce(g.was_free, l.free) returning 1)
            select expect((select count(*) from changed), $9)
            """,
            Sql.Texts(lots.Select(lot => LotKeys.Lot(lot))), Sql.Numbers(lots.Select(lot => lot.Lot.Quantity)),
            Sql.Texts(lots.Select(lot => lot.Lot.Free.ToString())), Sql.Numbers(lots.Select(lot => lot.Lot.Free.Count)), Sql.Instants(lots.Select(lot => lot.Lot.AskedExpiry)),
            Sql.Instants(lots.Select(lot => lot.Lot.ExpiresAt)), Sql.Flags(lots.Select(lot => lot.Lot.ExpiryBooked)), Sql.Texts(lots.Select(lot => lot.From?.ToString())), Sql.Number(lots.Length));
    }

    private static void Uses(NpgsqlBatch batch, ImmutableArray<Use> uses)
    {
        if (uses.IsEmpty) return;
        Add(batch, """
            with changed as (
                update member m set total_used = m.total_used + g.credits, used_in_cycle = m.used_in_cycle + g.of_cycle, extra_used = m.extra_used + g.of_extra, due_at = coalesce(g.due_at, m.due_at)
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as g (contract_id, user_id, credits, of_cycle, of_extra, restarts, cycle, extra_credits, due_at)
                where m.contract_id = g.contract_id and m.user_id = g.user_id and m.assigned and not m.disabled
            """ + $" and {CanUse} returning 1) select expect((select count(*) from changed), $10)",
            Sql.Texts(uses.Select(use => use.ContractId)), Sql.Texts(uses.Select(use => use.UserId)), Sql.Numbers(uses.Select(use => use.Credits)), Sql.Numbers(uses.Select(use => use.OfCycle)),
            Sql.Numbers(uses.Select(use => use.OfExtra)), Sql.Integers(uses.Select(use => use.Cycle?.Restarts)), Sql.Integers(uses.Select(use => use.Cycle?.Cycle)),
            Sql.Numbers(uses.Select(use => use.ExtraCredits)), Sql.Instants(uses.Select(use => use.DueAt)), Sql.Number(uses.Length));
    }

    private static void Credits(NpgsqlBatch batch, ImmutableArray<CreditChange> credits)
    {
        if (credits.IsEmpty) return;
        Add(batch, $"""
            with changed as (
                update credit c set used_by = g.used_by, player_name = g.player_name, expires_at = g.expires_at, activated_at = g.activated_at,
                                    is_current = g.is_current, expiry_booked = g.expiry_booked, version = g.version, used_of = g.used_of
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                    as g (lot, ordinal, used_by, player_id, player_name, expires_at, activated_at, report_id, is_current, expiry_booked, version, used_of, expected)
                where {IsStill} returning 1)
            select expect((select count(*) from changed), $14)
            """,
            Sql.Texts(credits.Select(change => LotKeys.Lot(change.Credit.Id))), Sql.Numbers(credits.Select(change => change.Credit.Id.Ordinal)),
            Sql.Texts(credits.Select(change => change.Credit.UsedBy)), Sql.Texts(credits.Select(change => change.Credit.PlayerId)), Sql.Texts(credits.Select(change => change.Credit.PlayerName)),
            Sql.Instants(credits.Select(change => change.Credit.ExpiresAt)), Sql.Instants(credits.Select(change => change.Credit.ActivatedAt)), Sql.Texts(credits.Select(change => change.Credit.ReportId)),
            Sql.Flags(credits.Select(change => change.Credit.IsCurrent)), Sql.Flags(credits.Select(change => change.Credit.ExpiryBooked)), Sql.Numbers(credits.Select(change => change.Credit.Version)),
            Sql.Texts(credits.Select(change => change.Credit.UsedOf)), Sql.Numbers(credits.Select(change => change.Expected)), Sql.Number(credits.Length));
    }

    private static void NewCredits(NpgsqlBatch batch, ImmutableArray<Credit> credits)
    {
        if (credits.IsEmpty) return;
        Add(batch, """
            with made as (
                insert into credit (lot, ordinal, client_id, payment_id, used_by, player_id, player_name, created_at, expires_at, activated_at, report_id, is_current, expiry_booked, version, used_of)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                on conflict do nothing returning 1)
            select expect((select count(*) from made), $16)
            """,
            Sql.Texts(credits.Select(credit => LotKeys.Lot(credit.Id))), Sql.Numbers(credits.Select(credit => credit.Id.Ordinal)),
            Sql.Texts(credits.Select(credit => credit.ClientId)), Sql.Texts(credits.Select(credit => credit.PaymentId)), Sql.Texts(credits.Select(credit => credit.UsedBy)),
            Sql.Texts(credits.Select(credit => credit.PlayerId)), Sql.Texts(credits.Select(credit => credit.PlayerName)), Sql.Instants(credits.Select(credit => credit.CreatedAt)),
            Sql.Instants(credits.Select(credit => credit.ExpiresAt)), Sql.Instants(credits.Select(credit => credit.ActivatedAt)), Sql.Texts(credits.Select(credit => credit.ReportId)),
            Sql.Flags(credits.Select(credit => credit.IsCurrent)), Sql.Flags(credits.Select(credit => credit.ExpiryBooked)), Sql.Numbers(credits.Select(credit => credit.Version)), Sql.Texts(credits.Select(credit => credit.UsedOf)),
            Sql.Number(credits.Length));
    }

    private static void Reports(NpgsqlBatch batch, ImmutableArray<Report> reports)
    {
        if (reports.IsEmpty) return;
        Add(batch, """
            with made as (
                insert into report (client_id, report_id, contract_id, user_id, at, charged, covered, players, balance)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
                on conflict do nothing returning 1)
            select expect((select count(*) from made), $10)
            """,
            Sql.Texts(reports.Select(report => report.ClientId)), Sql.Texts(reports.Select(report => report.ReportId)), Sql.Texts(reports.Select(report => report.ContractId)),
            Sql.Texts(reports.Select(report => report.UserId)), Sql.Instants(reports.Select(report => report.At)), Sql.Numbers(reports.Select(report => (long)report.Charged)),
            Sql.Numbers(reports.Select(report => (long)report.Covered)), Sql.Texts(reports.Select(report => Json.Write(report.Players))), Sql.Texts(reports.Select(report => Json.Write(report.Balance))),
            Sql.Number(reports.Length));
    }

    private static void Entries(NpgsqlBatch batch, ImmutableArray<Entry> entries)
    {
        if (entries.IsEmpty) return;
        Add(batch, """
            insert into entry (kind, effective_at, booked_at, actor, reason, cause, subject, quantity, before, after, client_id, contract_id, user_id, report_id, lot_id, used_of, services_credits, account_id)
            select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """,
            Sql.Texts(entries.Select(entry => entry.Kind.ToSql())), Sql.Instants(entries.Select(entry => entry.EffectiveAt)), Sql.Instants(entries.Select(entry => entry.BookedAt)),
            Sql.Texts(entries.Select(entry => entry.Actor)), Sql.Texts(entries.Select(entry => entry.Reason)), Sql.Texts(entries.Select(entry => entry.Cause)),
            Sql.Texts(entries.Select(entry => entry.Subject)), Sql.Numbers(entries.Select(entry => entry.Quantity)), Sql.Texts(entries.Select(entry => entry.Before)),
            Sql.Texts(entries.Select(entry => entry.After)), Sql.Texts(entries.Select(entry => entry.ClientId)), Sql.Texts(entries.Select(entry => entry.ContractId)),
            Sql.Texts(entries.Select(entry => entry.UserId)), Sql.Texts(entries.Select(entry => entry.ReportId)), Sql.Texts(entries.Select(entry => entry.LotId)),
            Sql.Texts(entries.Select(entry => entry.UsedOf)), Sql.Quantities(entries.Select(entry => entry.ServicesCredits)), Sql.Texts(entries.Select(entry => entry.AccountId)));
    }

    internal static void Add(NpgsqlBatch batch, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(parameters);
        batch.BatchCommands.Add(command);
    }
}
