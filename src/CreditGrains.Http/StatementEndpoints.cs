using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Statements of contracts and accounts (G5).</summary>
internal static class StatementEndpoints
{
    public static void MapStatements(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/contracts/{contractId}/statement", OfContract).Needs(Access.Read).WithMetadata(new Parameters.Meaning(Parameters.Meaning.Days))
            .Answers<ContractStatement>("A contract's credits between two local dates: opening, movements, closing", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField).MayBeGone(Problems.Archived);
        v1.MapGet("/accounts/{accountId}/statement", OfAccount).Needs(Access.Read).WithMetadata(new Parameters.Meaning(Parameters.Meaning.Days))
            .Answers<AccountStatement>("An account's services credits between two local dates: opening, movements, closing", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
    }

    private static async Task<IResult> OfContract(
        string contractId, string? from, string? to, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { Terms: var terms } || !caller.Sees(terms.ClientId))
            return Problems.NoContract(contractId);
        var now = clock.Now;
        if (Days(from, to, terms.Zone, now, out var days) is { } wrong) return wrong;
        if (await queries.Statement(contractId, days.From, days.To, now).WaitAsync(gone) is not { } statement) return Problems.NoContract(contractId);
        var names = await queries.NamesOf(statement.Movements.Select(moved => ((string?)terms.ClientId, (string?)null, moved.UserId))).WaitAsync(gone);
        return TypedResults.Ok(statement with
        {
            Movements = [.. statement.Movements.Select(moved => moved with { UserName = names.User(terms.ClientId, moved.UserId) })],
        });
    }

    private static async Task<IResult> OfAccount(
        string accountId, string? from, string? to, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await queries.Account(accountId).WaitAsync(gone) is not { } terms || !caller.Sees(terms.ClientId)) return Problems.NotFound($"account {accountId}");
        var now = clock.Now;
        if (Days(from, to, terms.Zone, now, out var days) is { } wrong) return wrong;
        return await queries.AccountStatement(accountId, days.From, days.To, now).WaitAsync(gone) is { } statement
            ? TypedResults.Ok(statement)
            : Problems.NotFound($"account {accountId}");
    }

    // Left out, the last day is today, and the first that of its month.
    private static Problem? Days(string? from, string? to, DateTimeZone zone, Instant now, out (LocalDate From, LocalDate To) days)
    {
        var today = Domain.Calendar.DateAt(now, zone);
        var last = Parameters.Date(to) ?? today;
        days = (Parameters.Date(from) ?? last.With(DateAdjusters.StartOfMonth), last);
        return Refusal.All(
            last > today ? Refusal.Invalid("to", $"must be today, {today:R}, or earlier") : null,
            days.From > last ? Refusal.Invalid("from", $"must not be after to, {last:R}") : null) is { } refusal ? Problems.Of(refusal) : null;
    }
}
