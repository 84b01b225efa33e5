using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>A short page for each problem: what its <c>type</c> opens (RFC 9457).</summary>
internal static class ProblemPages
{
    public const string Path = "/problems";

    public static void MapProblems(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup(Path).ExcludeFromDescription().AllowAnonymous();
        pages.MapGet("", () => Page("Problems", string.Concat(Problems.Codes.Select(code => $"<li><a href=\"{Path}/{code}\">{code}</a>: {Encoded(Problems.Meaning(code).Title)}</li>"))));
        pages.MapGet("/{code}", (string code) => Problems.Codes.Contains(code) ? Page(code, Explained(code)) : Problems.NotFound($"problem {code}"));
    }

    private static string Explained(string code)
    {
        var (status, title) = Problems.Meaning(code);
        return $"<p>{Encoded(title)} (status {status}).</p><p>{Advice(status)}</p><p><a href=\"{Path}\">All problems</a></p>";
    }

    private static string Advice(int status) => status switch
    {
        408 or 429 or 503 => "Send the same request again, no sooner than Retry-After says. A repeated request takes effect once.",
        401 => "Send <code>Authorization: Bearer</code> with a key that this service knows.",
        402 => "<code>detail</code> and the amounts beside it say how much is needed and when more will be there. Nothing has changed.",
        403 => "Ask the operator for a key that may do this. Nothing has changed.",
        412 => "Read the document again, and repeat the change on what it says now. Nothing has changed.",
        500 => "Tell the operator the <code>requestId</code>; the log of the service has it, too.",
        _ => "<code>detail</code> says what must hold, and <code>errors</code> names every field that is wrong. Nothing has changed.",
    };

    private static IResult Page(string title, string content) => TypedResults.Content(
        $"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{Encoded(title)}: CreditGrains</title><h1>{Encoded(title)}</h1>{content}</html>", "text/html; charset=utf-8");

    private static string Encoded(string text) => WebUtility.HtmlEncode(text);
}
