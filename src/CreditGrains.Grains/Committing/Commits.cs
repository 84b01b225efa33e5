using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A document's new version: it must have had <paramref name="Expected"/>, 0 where it must not have been there.</summary>
/// <param name="Body">null: stays as it is.</param>
/// <param name="Owner">What it is listed under: a contract's client.</param>
/// <param name="DueAt">When time will next change it by itself; null: never.</param>
public sealed record DocumentWrite(string Kind, string Id, long Expected, string? Body, string Owner, Instant AsOf, Instant? DueAt)
{
    public string Key => $"{Kind}:{Id}";
}

/// <summary>A document that must still have that version, 0 where it must not be there; it does not change.</summary>
public sealed record Guard(string Kind, string Id, long Version)
{
    public string Key => $"{Kind}:{Id}";
}

/// <summary>What one or more decisions change: all of it becomes durable in one transaction, or nothing.</summary>
public sealed record Commit(ImmutableArray<DocumentWrite> Documents, ImmutableArray<Guard> Guards, Changes Changes)
{
    public Commit(DocumentWrite document, Changes changes) : this([document], [], changes) { }

    /// <summary>What is remembered until then, or not as long, is let go; null: nothing is.</summary>
    public Instant? ForgetUntil { get; init; }

    /// <summary>Several decisions' changes as one: of each lot the last word, of each user the sum.</summary>
    public static Changes Merge(IEnumerable<Changes> parts)
    {
        var all = parts.ToList();
        return new Changes
        {
            Lots = [.. all.SelectMany(part => part.Lots).GroupBy(lot => (lot.ContractId, lot.Lot.LotId, lot.Lot.Apart)).Select(group => group.Last() with { IsNew = group.Any(lot => lot.IsNew), From = group.First().From })],
            Credits = [.. all.SelectMany(part => part.Credits)],
            CoveredBy = [.. all.SelectMany(part => part.CoveredBy)],
            GivenBack = [.. all.SelectMany(part => part.GivenBack).GroupBy(back => (back.ContractId, back.UserId)).Select(group => group.Aggregate((one, other) => one + other))],
            Uses = [.. all.SelectMany(part => part.Uses).GroupBy(use => (use.ContractId, use.UserId)).Select(group => group.Aggregate((one, other) => one + other))],
            Members = [.. all.SelectMany(part => part.Members).GroupBy(member => (member.ContractId, member.Member.UserId)).Select(group => group.Last() with { From = group.First().From, MustBeEnabled = group.Any(member => member.MustBeEnabled) })],
            Cycles = [.. all.SelectMany(part => part.Cycles)],
            Previews = [.. all.SelectMany(part => part.Previews)],
            Switches = [.. all.SelectMany(part => part.Switches)],
            Requests = [.. all.SelectMany(part => part.Requests)],
            Reports = [.. all.SelectMany(part => part.Reports)],
            Purchases = [.. all.SelectMany(part => part.Purchases).GroupBy(change => (change.AccountId, change.Purchase.PurchaseId)).Select(group => group.Last() with { IsNew = group.Any(change => change.IsNew) })],
            Projects = [.. all.SelectMany(part => part.Projects).GroupBy(change => change.Project.ProjectId)
                .SelectMany(group => Chain(group, change => change.Expected, change => change.Project.Version, (first, last) => last with { Expected = first.Expected }))],
            Milestones = [.. all.SelectMany(part => part.Milestones).GroupBy(change => change.Milestone.MilestoneId)
                .SelectMany(group => Chain(group, change => change.Expected, change => change.Milestone.Version, (first, last) => last with { Expected = first.Expected }))],
            Consumptions = [.. all.SelectMany(part => part.Consumptions)],
            Entries = [.. all.SelectMany(part => part.Entries)],
        };
    }

    // Changes of one row that follow each other are one; those that do not stay two, and a fence fails.
    private static List<T> Chain<T>(IEnumerable<T> changes, Func<T, long> expected, Func<T, long> version, Func<T, T, T> join)
    {
        var chains = new List<T>();
        foreach (var change in changes)
        {
            if (chains.Count > 0 && version(chains[^1]) == expected(change)) chains[^1] = join(chains[^1], change);
            else chains.Add(change);
        }
        return chains;
    }
}

/// <summary>How a commit ended.</summary>
public abstract record CommitResult
{
    private CommitResult() { }

    /// <summary>Durable, whole.</summary>
    public sealed record Done : CommitResult;

    /// <summary>Nothing changed: these fences were not as expected.</summary>
    public sealed record Conflict(ImmutableHashSet<string> Keys) : CommitResult;

    /// <summary>Nobody knows: it may have happened, or happen yet.</summary>
    public sealed record Unknown(Exception Cause) : CommitResult;
}

/// <summary>What a user uses credits by: a cycle, and the extra credits granted in all; null: however many.</summary>
public readonly record struct Right(CycleKey Cycle, long? ExtraCredits);

/// <summary>The names of a commit's fences: what a conflict is reported by.</summary>
public static class Fences
{
    public static string Key(this LotChange lot) => $"lot:{lot.Lot.Key(lot.ContractId)}";

    /// <summary>A credit is fenced by its player: there is one current credit a player.</summary>
    public static string Key(this CreditChange change) => change.Credit.PlayerId is { } player ? $"player:{change.Credit.ClientId}/{player}" : $"credit:{change.Credit.Id}";

    public static string Key(this Use use) => $"use:{use.ContractId}/{use.UserId}";

    public static string Key(this GiveBack back) => $"use:{back.ContractId}/{back.UserId}";

    /// <summary>That a credit covers its player.</summary>
    public static string CoverKey(this Credit credit) => $"player:{credit.ClientId}/{credit.PlayerId}";

    public static string Key(this MemberChange change) => $"member:{change.ContractId}/{change.Member.UserId}";

    public static string Key(this CycleChange change) => $"use:{change.ContractId}/{change.UserId}";

    public static string Key(this Preview preview) => $"preview:{preview.Token}";

    public static string Key(this KeyedRequest request) => $"request:{request.ClientId}/{request.Key}";

    public static string Key(this PurchaseChange purchase) => $"purchase:{purchase.AccountId}~{purchase.Purchase.PurchaseId}";

    public static string Key(this ProjectChange project) => $"project:{project.Project.ProjectId}";

    public static string Key(this MilestoneChange milestone) => $"milestone:{milestone.Milestone.MilestoneId}";

    public static string Key(this Consumption consumption) => $"consumption:{consumption.ConsumptionId}";

    public static string Key(this Report report) => $"report:{report.ClientId}/{report.ReportId}";

    /// <summary>What these changes alone may make: two of them in one commit would be one too many.</summary>
    public static IEnumerable<string> Making(Changes changes) => changes.Lots.Where(lot => lot.IsNew || lot.From is not null).Select(Key)
        .Concat(changes.Credits.Select(Key)).Concat(changes.Requests.Select(Key)).Concat(changes.Reports.Select(Key)).Concat(changes.Previews.Select(Key))
        .Concat(changes.Purchases.Where(purchase => purchase.IsNew).Select(Key));

    /// <summary>What these changes found as the store has it: behind another change of it in one commit they would rest on something old.</summary>
    public static IEnumerable<string> Finding(Changes changes) => Making(changes).Concat(changes.CoveredBy.Select(CoverKey));

    /// <summary>What others in the same commit may no longer find as the store has it.</summary>
    public static IEnumerable<string> Changing(Changes changes) => Making(changes).Concat(changes.Lots.Select(Key));

    /// <summary>By which right of a user these changes use or give back, and which they change (null): one commit knows one of each user.</summary>
    public static IEnumerable<(string User, Right? Right)> Rights(Changes changes) =>
        changes.Uses.Where(use => use.Cycle is not null).Select(use => (use.Key(), (Right?)new Right(use.Cycle!.Value, use.ExtraCredits)))
            .Concat(changes.GivenBack.Where(back => back.Cycle is not null).Select(back => (back.Key(), (Right?)new Right(back.Cycle!.Value, null))))
            .Concat(changes.Members.Select(change => ($"use:{change.ContractId}/{change.Member.UserId}", (Right?)null)));

    /// <summary>All that can make these changes fail.</summary>
    public static IEnumerable<string> Of(Changes changes) => Finding(changes).Concat(changes.Uses.Select(Key)).Concat(changes.GivenBack.Select(Key))
        .Concat(changes.Members.Select(Key)).Concat(changes.Cycles.Select(Key)).Concat(changes.Projects.Select(Key)).Concat(changes.Milestones.Select(Key));
}
