using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.DependencyInjection;

namespace CreditGrains.Http;

/// <summary>
/// Lists and statements as CSV (RFC 4180), where Accept prefers it: a header row of the fields' names, a part of an object as <c>object.part</c>, a list as its
/// JSON, null as nothing. A list without a limit is whole, however many pages it has. A text that a spreadsheet would take for a formula gets an apostrophe
/// before it; a number is none.
/// </summary>
internal static class Csv
{
    public const string MediaType = "text/csv", ContentType = MediaType + "; charset=utf-8; header=present";

    private const string EndOfLine = "\r\n", BeginsFormula = "=+-@\t\r", NeedsQuotes = ",\"\r\n";

    /// <summary>Whether answers of that type are written as CSV, too.</summary>
    public static bool Takes(Type type) => type.IsAssignableTo(typeof(IListing)) || type == typeof(ContractStatement) || type == typeof(AccountStatement);

    /// <summary>Writes what a call answers as CSV where that is asked for.</summary>
    public static EndpointFilterDelegate Apply(EndpointFilterFactoryContext call, EndpointFilterDelegate next)
    {
        var parameters = call.MethodInfo.GetParameters();
        var (limit, cursor) = (Array.FindIndex(parameters, one => one.Name == "limit"), Array.FindIndex(parameters, one => one.Name == "cursor"));
        return async invocation =>
        {
            var context = invocation.HttpContext;
            if (!HttpMethods.IsGet(context.Request.Method)) return await next(invocation);

            var isAsked = IsPreferred(context.Request);
            var isWhole = isAsked && limit >= 0 && invocation.Arguments[limit] is null;
            if (isWhole) invocation.Arguments[limit] = $"{Parameters.MaxLimit}";
            var result = await next(invocation);
            if (result is not IValueHttpResult { Value: { } document } || Table.Of(document) is not { } table) return result;
            context.Response.Headers.Vary = HeaderNames.Accept;
            if (!isAsked) return result;

            // It is another representation of the same version.
            if (context.Response.Headers.ETag.ToString() is { Length: > 0 } version) context.Response.Headers.ETag = $"{version[..^1]}.csv\"";
            if (!isWhole || table.NextCursor is null) return new Text(table.Header() + table.Lines(), table.NextCursor);
            if (Tags.IsConditional(context.Request))
                return Problems.Of(Problems.Malformed, "If-Match and If-None-Match must be left out where a CSV has no limit.");
            return new Stream(table, async behind =>
            {
                invocation.Arguments[cursor] = behind;
                return ((await next(invocation)) as IValueHttpResult)?.Value as IListing ?? throw new InvariantException("a list goes on as a list");
            });
        };
    }

    /// <summary>A CSV as it is sent; what is tagged and compared is its text.</summary>
    internal sealed class Text(string csv, string? nextCursor) : IResult, IValueHttpResult, IStatusCodeHttpResult
    {
        public string? NextCursor => nextCursor;

        public object? Value => csv;

        public int? StatusCode => StatusCodes.Status200OK;

        public Task ExecuteAsync(HttpContext httpContext) => Send(httpContext, csv);
    }

    // Page by page: a fault behind the first ends the connection, so that nobody takes a part for all of it.
    private sealed class Stream(Table first, Func<string, Task<IListing>> read) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await Send(httpContext, first.Header() + first.Lines());
            if (httpContext.IsHead()) return;
            try
            {
                for (var cursor = first.NextCursor; cursor is not null;)
                {
                    await httpContext.Response.Body.FlushAsync(httpContext.RequestAborted);
                    var page = Table.Of(await read(cursor))!;
                    await Send(httpContext, page.Lines());
                    cursor = page.NextCursor;
                }
            }
            catch (Exception e) when (!httpContext.RequestAborted.IsCancellationRequested)
            {
                httpContext.RequestServices.GetRequiredService<ILogger<Problem>>()
                    .LogWarning(e, "{Path} ended before all was sent, request {RequestId}", httpContext.Request.Path, httpContext.TraceIdentifier);
                httpContext.Abort();
            }
        }
    }

    private static Task Send(HttpContext context, string csv)
    {
        if (!context.Response.HasStarted) context.Response.ContentType = ContentType;
        return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(csv)).AsTask();
    }

    private static bool IsPreferred(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return false;
        return Quality(MediaType) is var csv and > 0 && csv > Quality("application/json");

        // Of what fits, the narrowest counts.
        double Quality(string type) => accepted
            .Where(one => one.MatchesAllTypes || one.MediaType == type || (one.MatchesAllSubTypes && one.Type == type.Split('/')[0]))
            .OrderBy(one => one.MatchesAllTypes ? 2 : one.MatchesAllSubTypes ? 1 : 0).Select(one => one.Quality ?? 1).FirstOrDefault();
    }

    /// <summary>The rows of a document, all of one type.</summary>
    private sealed class Table(Type type, IEnumerable<object> rows, string? nextCursor)
    {
        private readonly List<Column> columns = [.. Column.Of(type, "", row => row)];

        public string? NextCursor => nextCursor;

        public static Table? Of(object document) => document switch
        {
            IListing list => new(list.ItemType, list.Rows, list.NextCursor),
            ContractStatement statement => new(typeof(StatementLine), StatementLine.Of(statement), null),
            AccountStatement statement => new(typeof(AccountLine), AccountLine.Of(statement), null),
            _ => null,
        };

        public string Header() => string.Join(',', columns.Select(column => column.Name)) + EndOfLine;

        public string Lines() => string.Concat(rows.Select(row => string.Join(',', columns.Select(column => Cell(column.Read(row)))) + EndOfLine));

        private static string Cell((string Text, bool IsNumber) value)
        {
            var text = value.Text.Length > 0 && !value.IsNumber && BeginsFormula.Contains(value.Text[0]) ? $"'{value.Text}" : value.Text;
            return text.AsSpan().ContainsAny(NeedsQuotes) || text.Trim() != text ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
        }
    }

    private sealed record Column(string Name, Func<object, (string Text, bool IsNumber)> Read)
    {
        /// <param name="of">The object that has the fields, of a row; null: there is none.</param>
        public static IEnumerable<Column> Of(Type type, string prefix, Func<object, object?> of)
        {
            foreach (var field in Json.Options.GetTypeInfo(type).Properties.Where(field => field.Get is not null).OrderBy(field => field.Order))
            {
                Func<object, object?> value = row => of(row) is { } owner ? field.Get!(owner) : null;
                var valueType = Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType;
                if (field.CustomConverter is null && Json.Options.GetTypeInfo(valueType).Kind is JsonTypeInfoKind.Object)
                    foreach (var part in Of(valueType, $"{prefix}{field.Name}.", value)) yield return part;
                else
                    yield return new($"{prefix}{field.Name}", row => Write(value(row), isJson: field.CustomConverter is not null));
            }
        }

        private static (string, bool) Write(object? value, bool isJson)
        {
            if (value is null) return ("", false);
            if (value is string text) return (text, false);
            if (isJson) return (Convert.ToString(value, CultureInfo.InvariantCulture)!, false);
            var json = JsonSerializer.SerializeToElement(value, value.GetType(), Json.Options);
            return json.ValueKind is JsonValueKind.String ? (json.GetString()!, false) : (json.GetRawText(), json.ValueKind is JsonValueKind.Number);
        }
    }
}

/// <summary>A line of a contract's statement as CSV: its opening, its movements with what each adds, its closing.</summary>
internal sealed record StatementLine(
    string Kind, string? PaymentId, string? UserId, decimal? Credits, decimal Unallocated, decimal Allocated, decimal Expired, decimal Withdrawn,
    string? UserName)
{
    public const string Opening = "opening", Closing = "closing";

    public static IEnumerable<StatementLine> Of(ContractStatement statement) =>
    [
        Of(Opening, null, null, null, null, statement.Opening),
        .. statement.Movements.Select(moved => Of(BodyFaults.Name(moved.Kind), moved.PaymentId, moved.UserId, moved.UserName, moved.Credits, moved.Effect)),
        Of(Closing, null, null, null, null, statement.Closing),
    ];

    private static StatementLine Of(string kind, string? payment, string? user, string? name, decimal? credits, Standing standing) =>
        new(kind, payment, user, credits, standing.Unallocated, standing.Allocated, standing.Expired, standing.Withdrawn, name);
}

/// <summary>The same of an account, currency by currency.</summary>
internal sealed record AccountLine(
    string Kind, string Currency, string? PurchaseId, string? MilestoneId, decimal? Quantity,
    decimal Unallocated, decimal Allocated, decimal Expired, decimal Withdrawn)
{
    public static IEnumerable<AccountLine> Of(AccountStatement statement) => statement.Currencies.SelectMany(one => (AccountLine[])
    [
        Of(StatementLine.Opening, one.Currency, null, null, null, one.Opening),
        .. one.Movements.Select(moved => Of(BodyFaults.Name(moved.Kind), one.Currency, moved.PurchaseId, moved.MilestoneId, moved.Quantity, moved.Effect)),
        Of(StatementLine.Closing, one.Currency, null, null, null, one.Closing),
    ]);

    private static AccountLine Of(string kind, string currency, string? purchase, string? milestone, decimal? quantity, Standing standing) =>
        new(kind, currency, purchase, milestone, quantity, standing.Unallocated, standing.Allocated, standing.Expired, standing.Withdrawn);
}
