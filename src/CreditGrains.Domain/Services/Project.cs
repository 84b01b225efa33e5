using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Work for one account in one currency (S1).</summary>
/// <param name="ProjectId">Global.</param>
/// <param name="ClientId">The account's; fixed.</param>
/// <param name="Holding">How many of its milestones hold services credits.</param>
/// <param name="Version">The row's fence: rises with every change.</param>
/// <param name="Name">0 to 200 characters.</param>
public sealed record Project(string ProjectId, string ClientId, string AccountId, string Currency, int Holding, long Version, string Name = "")
{
    /// <summary>What a caller may change of it.</summary>
    [JsonIgnore]
    public ProjectTerms Terms => new(AccountId, Currency, Name);
}

/// <summary>What a caller may change of a project.</summary>
public sealed record ProjectTerms(string AccountId, string Currency, string Name);

/// <summary>A project's row as it now is.</summary>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
public sealed record ProjectChange(Project Project, long Expected) : Change
{
    public RowKey Row => RowKey.Project(Project.ProjectId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>The wanted values of a project; its new account decides.</summary>
/// <param name="Seen">The account and currency that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
/// <param name="Name">null: unchanged, or empty for a new project.</param>
public sealed record SetProject(string ProjectId, string Currency, string Actor, string? Seen = null, string? Name = null);

/// <summary>Makes a project, or changes its account or currency (S1, S5).</summary>
public static class Projecting
{
    /// <summary>
    /// Refuses with <see cref="RefusalCode.PreconditionFailed"/>, or with <see cref="RefusalCode.InvalidField"/>, also where account or currency would change
    /// while milestones of the project hold credits (S5).
    /// Values equal to the present ones change nothing.
    /// </summary>
    public static Decision<Changed<Account, Project>> Decide(Account account, SetProject set, Instant now)
    {
        var present = account.Services.Projects.GetValueOrDefault(set.ProjectId);
        var project = new Project(
            set.ProjectId, account.Terms.ClientId, account.Terms.AccountId, set.Currency, present?.Holding ?? 0, present?.Version ?? 0,
            set.Name ?? present?.Name ?? "");
        if (project == present) return new Changed<Account, Project>(account, Changes.None, present);
        if (set.Seen is { } seen && seen != Seen.Of(present?.Terms)) return Refusal.Changed("project");
        var invalid = Refusal.All(
            Currencies.Check("currency", set.Currency)
                ?? (present is { Holding: > 0 } && present.Currency != set.Currency
                    ? Refusal.Invalid("currency", $"must stay {present.Currency} while milestones of the project hold services credits")
                    : null),
            present is null || present.ClientId == account.Terms.ClientId ? null : Refusal.Invalid("accountId", "must be an account of the project's client"),
            present is { Holding: > 0 } && present.AccountId != account.Terms.AccountId
                ? Refusal.Invalid("accountId", $"must stay {present.AccountId} while milestones of the project hold services credits")
                : null);
        if (invalid is not null) return invalid;

        project = project with { Version = project.Version + 1 };
        return new Changed<Account, Project>(
            account.With(project),
            [
                new ProjectChange(project, present?.Version ?? 0),
                account.Tell(EntryKind.ProjectSet, Subjects.Project(project.ProjectId), set.Actor, Causes.Request, now) with
                {
                    Before = present is null ? null : Shown(present),
                    After = Shown(project),
                },
            ],
            project);
    }

    internal static Account With(this Account account, Project project) =>
        account with { Services = account.Services with { Projects = account.Services.Projects.SetItem(project.ProjectId, project) } };

    private static string Shown(Project project) => Json.Write(new { project.ProjectId, project.AccountId, project.Currency, project.Name });
}
