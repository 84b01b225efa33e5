using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Http;

/// <summary>A page of a list.</summary>
internal interface IListing
{
    string? NextCursor { get; }

    Type ItemType { get; }

    /// <summary>The items.</summary>
    IEnumerable<object> Rows { get; }

    /// <summary>Names the next page in the header Link, too (RFC 8288).</summary>
    static EndpointFilterDelegate Link(EndpointFilterFactoryContext call, EndpointFilterDelegate next) => async invocation =>
    {
        var result = await next(invocation);
        if ((result is Csv.Text csv ? csv.NextCursor : ((result as IValueHttpResult)?.Value as IListing)?.NextCursor) is { } cursor)
        {
            var request = invocation.HttpContext.Request;
            var query = QueryString.Create(request.Query.Where(parameter => parameter.Key != "cursor")).Add("cursor", cursor);
            invocation.HttpContext.Response.Headers.Link = $"<{request.Path.ToUriComponent()}{query}>; rel=\"next\"";
        }
        return result;
    };
}

/// <summary>A page of a list; <paramref name="NextCursor"/> null: the last.</summary>
internal sealed record Listing<T>(ImmutableArray<T> Items, string? NextCursor) : IListing where T : class
{
    Type IListing.ItemType => typeof(T);

    IEnumerable<object> IListing.Rows => Items;

    public static Listing<T> Of(Page<T> page) => new(page.Items, page.Next);

    public static Listing<T> Of<TItem>(Page<TItem> page, Func<TItem, T> show) => new([.. page.Items.Select(show)], page.Next);

    /// <summary>Items with names beside the ids of each.</summary>
    public static async Task<Listing<T>> Named<TItem>(
        Page<TItem> page, IQueries queries, Func<TItem, (string? ClientId, string? ContractId, string? UserId)> ids, Func<TItem, Names, T> show, CancellationToken gone)
    {
        var names = await queries.NamesOf(page.Items.Select(ids)).WaitAsync(gone);
        return Of(page, item => show(item, names));
    }

    public static async Task<Listing<T>> Of<TItem>(Page<TItem> page, Func<TItem, ValueTask<T>> show)
    {
        var items = ImmutableArray.CreateBuilder<T>(page.Items.Length);
        foreach (var item in page.Items) items.Add(await show(item));
        return new(items.MoveToImmutable(), page.Next);
    }
}

/// <summary>The first answer again (R3): 200 and <see cref="IdempotencyKeys.Replayed"/>.</summary>
internal sealed class Replayed<T>(T answer) : IResult, IStatusCodeHttpResult, IValueHttpResult
{
    public int? StatusCode => StatusCodes.Status200OK;

    public object? Value => answer;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers[IdempotencyKeys.Replayed] = "true";
        return TypedResults.Ok(answer).ExecuteAsync(httpContext);
    }
}

/// <summary>How a change is answered.</summary>
internal static class Replies
{
    /// <summary>What a change made, as it is shown, or why it was refused.</summary>
    public static (Answered<TDocument>? Made, Problem? Problem) Shown<T, TDocument>(Decision<Answered<T>> decision, Func<T, TDocument> show) =>
        decision.Value is { } made ? (new(show(made.Answer), made.Replayed), null) : (null, Problems.Of(decision.Refusal!));

    public static IResult Of<T, TDocument>(Decision<Answered<T>> decision, Func<T, TDocument> show) =>
        decision.Refusal is { } refusal ? Problems.Of(refusal) : Ok(show(decision.Value!.Answer), decision.Value.Replayed);

    public static IResult Ok<T>(T document, bool replayed) => replayed ? new Replayed<T>(document) : TypedResults.Ok(document);
}
