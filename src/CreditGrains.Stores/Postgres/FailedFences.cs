using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>Finds out which fences of a commit that failed are not as expected, so that only what rests on them is decided anew.</summary>
internal static class FailedFences
{
    public static async Task<ImmutableHashSet<string>> Of(Commit commit, NpgsqlConnection connection)
    {
        var failed = ImmutableHashSet.CreateBuilder<string>();
        var expected = commit.Documents.Select(document => (document.Kind, document.Id, Version: document.Expected))
            .Concat(commit.Guards.Select(guard => (guard.Kind, guard.Id, guard.Version))).ToList();
        await Ask(connection, failed, """
            select g.kind || ':' || g.id from unnest($1, $2, $3) as g (kind, id, version) left join document d using (kind, id) where coalesce(d.version, 0) <> g.version
            """,
            Sql.Texts(expected.Select(document => document.Kind)), Sql.Texts(expected.Select(document => document.Id)), Sql.Numbers(expected.Select(document => document.Version)));

        var changes = commit.Changes;
        var lots = changes.Lots.Where(lot => lot.IsNew).ToList();
        await Ask(connection, failed, "select g.fence from unnest($1, $2) as g (fence, key) join lot l using (key)",
            Sql.Texts(lots.Select(lot => lot.Key())), Sql.Texts(lots.Select(lot => LotKeys.Lot(lot))));

        await Ask(connection, failed, $"""
            select g.key from unnest($1, $2, $3, $4, $5, $6, $7, $8) as g (key, contract_id, user_id, of_cycle, of_extra, restarts, cycle, extra_credits) left join member m using (contract_id, user_id)
            where m.user_id is null or not m.assigned or m.disabled or not {CommitStatements.CanUse}
            """,
            Sql.Texts(changes.Uses.Select(use => use.Key())), Sql.Texts(changes.Uses.Select(use => use.ContractId)), Sql.Texts(changes.Uses.Select(use => use.UserId)),
            Sql.Numbers(changes.Uses.Select(use => use.OfCycle)), Sql.Numbers(changes.Uses.Select(use => use.OfExtra)),
            Sql.Integers(changes.Uses.Select(use => use.Cycle?.Restarts)), Sql.Integers(changes.Uses.Select(use => use.Cycle?.Cycle)), Sql.Numbers(changes.Uses.Select(use => use.ExtraCredits)));

        await Ask(connection, failed, """
            select g.key from unnest($1, $2, $3, $4, $5, $6) as g (key, contract_id, user_id, restarts, cycle, used_in_cycle) left join member m using (contract_id, user_id)
            where m.user_id is null or (m.restarts, m.cycle, m.used_in_cycle) <> (g.restarts, g.cycle, g.used_in_cycle)
            """,
            Sql.Texts(changes.Cycles.Select(cycle => cycle.Key())), Sql.Texts(changes.Cycles.Select(cycle => cycle.ContractId)), Sql.Texts(changes.Cycles.Select(cycle => cycle.UserId)),
            Sql.Integers(changes.Cycles.Select(cycle => cycle.From.Restarts)), Sql.Integers(changes.Cycles.Select(cycle => cycle.From.Cycle)), Sql.Numbers(changes.Cycles.Select(cycle => cycle.UsedInCycle)));

        await Ask(connection, failed, """
            select g.key from unnest($1, $2, $3, $4, $5, $6, $7) as g (key, contract_id, user_id, restarts, from_restarts, from_cycle, must_be_enabled) left join member m using (contract_id, user_id)
            where (m.user_id is null) <> (g.from_cycle is null) or (g.must_be_enabled and m.disabled)
               or (g.restarts <> g.from_restarts and (m.restarts, m.cycle) <> (g.from_restarts, g.from_cycle))
            """,
            Sql.Texts(changes.Members.Select(member => member.Key())), Sql.Texts(changes.Members.Select(member => member.ContractId)), Sql.Texts(changes.Members.Select(member => member.Member.UserId)),
            Sql.Integers(changes.Members.Select(member => member.Member.Allocation.Restarts)), Sql.Integers(changes.Members.Select(member => member.From?.Restarts)),
            Sql.Integers(changes.Members.Select(member => member.From?.Cycle)), Sql.Flags(changes.Members.Select(member => member.MustBeEnabled)));

        var closed = changes.Lots.Where(lot => lot.From is not null).ToList();
        await Ask(connection, failed, "select g.fence from unnest($1, $2, $3) as g (fence, key, free) join lot l using (key) where l.free <> g.free",
            Sql.Texts(closed.Select(lot => lot.Key())), Sql.Texts(closed.Select(lot => LotKeys.Lot(lot))), Sql.Texts(closed.Select(lot => lot.From?.ToString())));

        await Ask(connection, failed, """
            select g.key from unnest($1, $2, $3, $4, $5) as g (key, contract_id, user_id, restarts, cycle) left join member m using (contract_id, user_id)
            where m.user_id is null or (m.restarts, m.cycle) <> (g.restarts, g.cycle)
            """,
            Sql.Texts(changes.GivenBack.Select(back => back.Key())), Sql.Texts(changes.GivenBack.Select(back => back.ContractId)), Sql.Texts(changes.GivenBack.Select(back => back.UserId)),
            Sql.Integers(changes.GivenBack.Select(back => back.Cycle?.Restarts)), Sql.Integers(changes.GivenBack.Select(back => back.Cycle?.Cycle)));

        var changed = changes.Credits.Where(change => change.Expected > 0).ToList();
        await Ask(connection, failed, $"""
            select g.key from unnest($1, $2, $3, $4, $5, $6) as g (key, lot, ordinal, expected, player_id, report_id) left join credit c on {CommitStatements.IsStill}
            where c.lot is null
            """,
            [
                Sql.Texts(changed.Select(change => change.Key()).Concat(changes.CoveredBy.Select(credit => credit.CoverKey()))),
                .. CommitStatements.Fence(changed.Select(change => (change.Credit, change.Expected)).Concat(changes.CoveredBy.Select(credit => (credit, credit.Version)))),
            ]);

        // A new credit meets another one of its id; a current one meets another current one of its player that this commit does not itself replace.
        var made = changes.Credits.Where(change => change.Expected == 0).ToList();
        var replaced = changed.Where(change => change.IsGone || !change.Credit.IsCurrent).Select(change => change.Credit.Id.ToString()).ToList();
        await Ask(connection, failed, "select g.key from unnest($1, $2, $3, $4) as g (key, lot, ordinal, id) join credit c using (lot, ordinal) where g.id <> all ($5)",
            Sql.Texts(made.Select(change => change.Key())), Sql.Texts(made.Select(change => LotKeys.Lot(change.Credit.Id))), Sql.Numbers(made.Select(change => change.Credit.Id.Ordinal)),
            Sql.Texts(made.Select(change => $"{change.Credit.Id}")), Sql.Texts(replaced));
        var current = changes.Credits.Where(change => change is { IsGone: false, Credit: { IsCurrent: true, PlayerId: not null } }).ToList();
        await Ask(connection, failed, """
            select g.key from unnest($1, $2, $3, $4) as g (key, client_id, player_id, id)
            join credit c on c.client_id = g.client_id and c.player_id = g.player_id and c.is_current and c.lot || '~' || lpad(c.ordinal::text, 9, '0') <> all (g.id || $5)
            """,
            Sql.Texts(current.Select(change => change.Key())), Sql.Texts(current.Select(change => change.Credit.ClientId)), Sql.Texts(current.Select(change => change.Credit.PlayerId)),
            Sql.Texts(current.Select(change => change.Expected == 0 ? "" : $"{change.Credit.Id}")), Sql.Texts(replaced));

        await Ask(connection, failed, "select g.key from unnest($1, $2, $3) as g (key, client_id, report_id) join report r using (client_id, report_id)",
            Sql.Texts(changes.Reports.Select(report => report.Key())), Sql.Texts(changes.Reports.Select(report => report.ClientId)), Sql.Texts(changes.Reports.Select(report => report.ReportId)));

        var purchases = changes.Purchases.Where(change => change.IsNew).ToList();
        await Ask(connection, failed, "select g.key from unnest($1, $2, $3) as g (key, account_id, purchase_id) join purchase using (account_id, purchase_id)",
            Sql.Texts(purchases.Select(change => change.Key())), Sql.Texts(purchases.Select(change => change.AccountId)), Sql.Texts(purchases.Select(change => change.Purchase.PurchaseId)));
        await Ask(connection, failed, "select g.key from unnest($1, $2, $3) as g (key, project_id, version) left join project p using (project_id) where coalesce(p.version, 0) <> g.version",
            Sql.Texts(changes.Projects.Select(change => change.Key())), Sql.Texts(changes.Projects.Select(change => change.Project.ProjectId)), Sql.Numbers(changes.Projects.Select(change => change.Expected)));
        await Ask(connection, failed, "select g.key from unnest($1, $2, $3) as g (key, milestone_id, version) left join milestone m using (milestone_id) where coalesce(m.version, 0) <> g.version",
            Sql.Texts(changes.Milestones.Select(change => change.Key())), Sql.Texts(changes.Milestones.Select(change => change.Milestone.MilestoneId)), Sql.Numbers(changes.Milestones.Select(change => change.Expected)));
        await Ask(connection, failed, "select g.key from unnest($1, $2, $3) as g (key, account_id, number) join consumption using (account_id, number)",
            Sql.Texts(changes.Consumptions.Select(Fences.Key)), Sql.Texts(changes.Consumptions.Select(record => record.AccountId)), Sql.Numbers(changes.Consumptions.Select(record => record.Number)));

        // What one commit itself says twice.
        failed.UnionWith(Twice(changes.Reports.Select(report => report.Key())));
        failed.UnionWith(Twice(changes.Projects.Select(change => change.Key()).Concat(changes.Milestones.Select(change => change.Key())).Concat(purchases.Select(change => change.Key()))));
        failed.UnionWith(Twice(made.Select(change => change.Key())));
        failed.UnionWith(Twice(changed.Select(change => change.Credit.Id.ToString())).SelectMany(id => changed.Where(change => change.Credit.Id.ToString() == id).Select(change => change.Key())));
        return failed.ToImmutable();
    }

    private static IEnumerable<string> Twice(IEnumerable<string> keys) => keys.GroupBy(key => key).Where(group => group.Skip(1).Any()).Select(group => group.Key);

    private static async Task Ask(NpgsqlConnection connection, ImmutableHashSet<string>.Builder failed, string sql, params NpgsqlParameter[] parameters)
    {
        if (parameters[0].Value is Array { Length: 0 }) return;
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) failed.Add(reader.GetString(0));
    }
}
