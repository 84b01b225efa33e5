using CreditGrains.Domain;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The rows of services credits: their columns, and how they are written and read.</summary>
internal static class ServicesRows
{
    public const string Purchase = "purchase_id, currency, quantity, free, allocated, expired, starts_on, expires_on, available_from, expires_at, created_at, request";

    public const string Project = "project_id, client_id, account_id, currency, holding, version";

    public const string Milestone = "milestone_id, client_id, project_id, services_credits, status, actual_date, was_allocated, holdings, version";

    public const string Consumption = "account_id, number, kind, purchase_id, milestone_id, currency, quantity, date, at";

    public const string Allocation = "allocation_id, account_id, milestone_id, currency, sum(quantity), min(date)";

    public static decimal Quantity(this Statement row) => ServicesCredits.FromTenThousandths(row.Number());

    public static Purchase ReadPurchase(Statement row) => new(
        row.Text(), row.Text(), row.Quantity(), row.Quantity(), row.Quantity(), row.Quantity(), Date(row.Text()), Date(row.Text()), row.Instant(), row.Instant(), row.Instant(), row.Text());

    public static Project ReadProject(Statement row) => new(row.Text(), row.Text(), row.Text(), row.Text(), (int)row.Number(), row.Number());

    public static Milestone ReadMilestone(Statement row) => new(
        row.Text(), row.Text(), row.Text(), row.Quantity(), row.Text(), row.OptionalText() is { } date ? Date(date) : null, row.Flag(), [.. Json.Read<Holding[]>(row.Text())], row.Number());

    public static Consumption ReadConsumption(Statement row) => new(
        row.Text(), row.Number(), Enum.Parse<ConsumptionKind>(row.Text()), row.Text(), row.OptionalText(), row.Text(), row.Quantity(), Date(row.Text()), row.Instant());

    public static AllocationRecord ReadAllocation(Statement row) => new(row.Text(), row.Text(), row.OptionalText(), row.Text(), row.Quantity(), Date(row.Text()));

    public static bool Write(Database database, PurchaseChange change)
    {
        var purchase = change.Purchase;
        return change.IsNew
            ? database[$"insert into purchases (account_id, client_id, {Purchase}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"]
                .Bind(change.AccountId).Bind(change.ClientId).Bind(purchase.PurchaseId).Bind(purchase.Currency).Bind(purchase.Quantity).Bind(purchase.Free).Bind(purchase.Allocated)
                .Bind(purchase.Expired).Bind(purchase.StartsOn).Bind(purchase.ExpiresOn).Bind(purchase.AvailableFrom).Bind(purchase.ExpiresAt).Bind(purchase.CreatedAt).Bind(purchase.Request).Run() == 1
            : database["update purchases set free = ?, allocated = ?, expired = ? where account_id = ? and purchase_id = ?"]
                .Bind(purchase.Free).Bind(purchase.Allocated).Bind(purchase.Expired).Bind(change.AccountId).Bind(purchase.PurchaseId).Run() == 1;
    }

    public static bool Write(Database database, ProjectChange change)
    {
        var project = change.Project;
        return change.Expected == 0
            ? database[$"insert into projects ({Project}) values (?, ?, ?, ?, ?, ?) on conflict do nothing"]
                .Bind(project.ProjectId).Bind(project.ClientId).Bind(project.AccountId).Bind(project.Currency).Bind(project.Holding).Bind(project.Version).Run() == 1
            : database["update projects set account_id = ?, currency = ?, holding = ?, version = ? where project_id = ? and version = ?"]
                .Bind(project.AccountId).Bind(project.Currency).Bind(project.Holding).Bind(project.Version).Bind(project.ProjectId).Bind(change.Expected).Run() == 1;
    }

    public static bool Write(Database database, MilestoneChange change)
    {
        var milestone = change.Milestone;
        var holdings = Json.Write(milestone.Holdings);
        return change.Expected == 0
            ? database[$"insert into milestones ({Milestone}) values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"]
                .Bind(milestone.MilestoneId).Bind(milestone.ClientId).Bind(milestone.ProjectId).Bind(milestone.ServicesCredits).Bind(milestone.Status).Bind(milestone.ActualDate)
                .Bind(milestone.WasAllocated).Bind(holdings).Bind(milestone.Version).Run() == 1
            : database["update milestones set project_id = ?, services_credits = ?, status = ?, actual_date = ?, was_allocated = ?, holdings = ?, version = ? where milestone_id = ? and version = ?"]
                .Bind(milestone.ProjectId).Bind(milestone.ServicesCredits).Bind(milestone.Status).Bind(milestone.ActualDate).Bind(milestone.WasAllocated).Bind(holdings).Bind(milestone.Version)
                .Bind(milestone.MilestoneId).Bind(change.Expected).Run() == 1;
    }

    public static bool Write(Database database, Consumption consumption) =>
        database[$"insert into consumptions ({Consumption}, allocation_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"]
            .Bind(consumption.AccountId).Bind(consumption.Number).Bind(consumption.Kind.ToString()).Bind(consumption.PurchaseId).Bind(consumption.MilestoneId).Bind(consumption.Currency)
            .Bind(consumption.Quantity).Bind(consumption.Date).Bind(consumption.At).Bind(consumption.AllocationId).Run() == 1;

    private static LocalDate Date(string text) => LocalDatePattern.Iso.Parse(text).Value;
}
