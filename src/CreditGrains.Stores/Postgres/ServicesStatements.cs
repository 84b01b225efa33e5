using System.Collections.Immutable;
using CreditGrains.Domain;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The statements of services credits, as those of <see cref="CommitStatements"/>: set-wise, each counted.</summary>
internal static class ServicesStatements
{
    public static void Add(NpgsqlBatch batch, Changes changes)
    {
        NewPurchases(batch, [.. changes.Purchases.Where(change => change.IsNew)]);
        Purchases(batch, [.. changes.Purchases.Where(change => !change.IsNew)]);
        NewProjects(batch, [.. changes.Projects.Where(change => change.Expected == 0).Select(change => change.Project)]);
        Projects(batch, [.. changes.Projects.Where(change => change.Expected > 0)]);
        NewMilestones(batch, [.. changes.Milestones.Where(change => change.Expected == 0).Select(change => change.Milestone)]);
        Milestones(batch, [.. changes.Milestones.Where(change => change.Expected > 0).OrderBy(change => change.Milestone.MilestoneId, StringComparer.Ordinal)]);
        Consumptions(batch, changes.Consumptions);
    }

    private static void NewPurchases(NpgsqlBatch batch, ImmutableArray<PurchaseChange> purchases)
    {
        if (purchases.IsEmpty) return;
        CommitStatements.Add(batch, """
            with made as (
                insert into purchase (account_id, client_id, purchase_id, currency, quantity, free, allocated, expired, starts_on, expires_on, available_from, expires_at, created_at, request)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                on conflict do nothing returning 1)
            select expect((select count(*) from made), $15)
            """,
            Sql.Texts(purchases.Select(change => change.AccountId)), Sql.Texts(purchases.Select(change => change.ClientId)), Sql.Texts(purchases.Select(change => change.Purchase.PurchaseId)),
            Sql.Texts(purchases.Select(change => change.Purchase.Currency)), Sql.Quantities(purchases.Select(change => change.Purchase.Quantity)),
            Sql.Quantities(purchases.Select(change => change.Purchase.Free)), Sql.Quantities(purchases.Select(change => change.Purchase.Allocated)),
            Sql.Quantities(purchases.Select(change => change.Purchase.Expired)), Sql.Dates(purchases.Select(change => (NodaTime.LocalDate?)change.Purchase.StartsOn)),
            Sql.Dates(purchases.Select(change => (NodaTime.LocalDate?)change.Purchase.ExpiresOn)), Sql.Instants(purchases.Select(change => change.Purchase.AvailableFrom)),
            Sql.Instants(purchases.Select(change => change.Purchase.ExpiresAt)), Sql.Instants(purchases.Select(change => change.Purchase.CreatedAt)),
            Sql.Texts(purchases.Select(change => change.Purchase.Request)), Sql.Number(purchases.Length));
    }

    private static void Purchases(NpgsqlBatch batch, ImmutableArray<PurchaseChange> purchases)
    {
        if (purchases.IsEmpty) return;
        CommitStatements.Add(batch, """
            with changed as (
                update purchase p set free = g.free, allocated = g.allocated, expired = g.expired
                from unnest($1, $2, $3, $4, $5) as g (account_id, purchase_id, free, allocated, expired)
                where p.account_id = g.account_id and p.purchase_id = g.purchase_id returning 1)
            select expect((select count(*) from changed), $6)
            """,
            Sql.Texts(purchases.Select(change => change.AccountId)), Sql.Texts(purchases.Select(change => change.Purchase.PurchaseId)),
            Sql.Quantities(purchases.Select(change => change.Purchase.Free)), Sql.Quantities(purchases.Select(change => change.Purchase.Allocated)),
            Sql.Quantities(purchases.Select(change => change.Purchase.Expired)), Sql.Number(purchases.Length));
    }

    private static void NewProjects(NpgsqlBatch batch, ImmutableArray<Project> projects)
    {
        if (projects.IsEmpty) return;
        CommitStatements.Add(batch, """
            with made as (
                insert into project (project_id, client_id, account_id, currency, holding, version)
                select * from unnest($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1)
            select expect((select count(*) from made), $7)
            """,
            Sql.Texts(projects.Select(project => project.ProjectId)), Sql.Texts(projects.Select(project => project.ClientId)), Sql.Texts(projects.Select(project => project.AccountId)),
            Sql.Texts(projects.Select(project => project.Currency)), Sql.Numbers(projects.Select(project => (long)project.Holding)), Sql.Numbers(projects.Select(project => project.Version)),
            Sql.Number(projects.Length));
    }

    private static void Projects(NpgsqlBatch batch, ImmutableArray<ProjectChange> projects)
    {
        if (projects.IsEmpty) return;
        CommitStatements.Add(batch, """
            with changed as (
                update project p set account_id = g.account_id, currency = g.currency, holding = g.holding, version = g.version
                from unnest($1, $2, $3, $4, $5, $6) as g (project_id, account_id, currency, holding, version, expected)
                where p.project_id = g.project_id and p.version = g.expected returning 1)
            select expect((select count(*) from changed), $7)
            """,
            Sql.Texts(projects.Select(change => change.Project.ProjectId)), Sql.Texts(projects.Select(change => change.Project.AccountId)), Sql.Texts(projects.Select(change => change.Project.Currency)),
            Sql.Numbers(projects.Select(change => (long)change.Project.Holding)), Sql.Numbers(projects.Select(change => change.Project.Version)), Sql.Numbers(projects.Select(change => change.Expected)),
            Sql.Number(projects.Length));
    }

    private static void NewMilestones(NpgsqlBatch batch, ImmutableArray<Milestone> milestones)
    {
        if (milestones.IsEmpty) return;
        CommitStatements.Add(batch, """
            with made as (
                insert into milestone (milestone_id, client_id, project_id, services_credits, status, actual_date, was_allocated, holdings, version)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning 1)
            select expect((select count(*) from made), $10)
            """,
            Sql.Texts(milestones.Select(milestone => milestone.MilestoneId)), Sql.Texts(milestones.Select(milestone => milestone.ClientId)), Sql.Texts(milestones.Select(milestone => milestone.ProjectId)),
            Sql.Quantities(milestones.Select(milestone => milestone.ServicesCredits)), Sql.Texts(milestones.Select(milestone => milestone.Status)), Sql.Dates(milestones.Select(milestone => milestone.ActualDate)),
            Sql.Flags(milestones.Select(milestone => milestone.WasAllocated)), Sql.Texts(milestones.Select(milestone => Json.Write(milestone.Holdings))), Sql.Numbers(milestones.Select(milestone => milestone.Version)),
            Sql.Number(milestones.Length));
    }

    private static void Milestones(NpgsqlBatch batch, ImmutableArray<MilestoneChange> milestones)
    {
        if (milestones.IsEmpty) return;
        CommitStatements.Add(batch, """
            with changed as (
                update milestone m set project_id = g.project_id, services_credits = g.services_credits, status = g.status, actual_date = g.actual_date,
                                       was_allocated = g.was_allocated, holdings = g.holdings, version = g.version
                from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as g (milestone_id, project_id, services_credits, status, actual_date, was_allocated, holdings, version, expected)
                where m.milestone_id = g.milestone_id and m.version = g.expected returning 1)
            select expect((select count(*) from changed), $10)
            """,
            Sql.Texts(milestones.Select(change => change.Milestone.MilestoneId)), Sql.Texts(milestones.Select(change => change.Milestone.ProjectId)),
            Sql.Quantities(milestones.Select(change => change.Milestone.ServicesCredits)), Sql.Texts(milestones.Select(change => change.Milestone.Status)),
            Sql.Dates(milestones.Select(change => change.Milestone.ActualDate)), Sql.Flags(milestones.Select(change => change.Milestone.WasAllocated)),
            Sql.Texts(milestones.Select(change => Json.Write(change.Milestone.Holdings))), Sql.Numbers(milestones.Select(change => change.Milestone.Version)),
            Sql.Numbers(milestones.Select(change => change.Expected)), Sql.Number(milestones.Length));
    }

    private static void Consumptions(NpgsqlBatch batch, ImmutableArray<Consumption> consumptions)
    {
        if (consumptions.IsEmpty) return;
        CommitStatements.Add(batch, """
            with made as (
                insert into consumption (account_id, number, kind, purchase_id, milestone_id, allocation_id, currency, quantity, date, at)
                select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning 1)
            select expect((select count(*) from made), $11)
            """,
            Sql.Texts(consumptions.Select(record => record.AccountId)), Sql.Numbers(consumptions.Select(record => record.Number)), Sql.Texts(consumptions.Select(record => record.Kind.ToSql())),
            Sql.Texts(consumptions.Select(record => record.PurchaseId)), Sql.Texts(consumptions.Select(record => record.MilestoneId)), Sql.Texts(consumptions.Select(record => record.AllocationId)),
            Sql.Texts(consumptions.Select(record => record.Currency)), Sql.Quantities(consumptions.Select(record => record.Quantity)),
            Sql.Dates(consumptions.Select(record => (NodaTime.LocalDate?)record.Date)), Sql.Instants(consumptions.Select(record => record.At)), Sql.Number(consumptions.Length));
    }
}
