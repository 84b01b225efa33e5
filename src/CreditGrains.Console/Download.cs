using CreditGrains.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CreditGrains.Pages;

/// <summary>
/// Lists and statements as files: the address of a page, <c>.csv</c> and its filters lead to what the API answers as CSV, whole, by the caller of the session.
/// </summary>
internal static class Download
{
    public const string Extension = ".csv";

    /// <summary>The pages that can be had so, below the console as below <c>/v1</c>.</summary>
    public static readonly string[] Pages =
    [
        "contracts", "contracts/{contractId}/lots", "contracts/{contractId}/statement", "credits", "payments", "reports", "usage", "ledger", "milestones",
        "accounts/{accountId}/statement",
    ];

    public static async Task Get(HttpContext context, InsideCalls calls)
    {
        var (page, headers) = (context.Request.Path.ToUriComponent()[(Hosting.Root.Length + 1)..^Extension.Length], context.Response.Headers);
        var file = new ContentDispositionHeaderValue("attachment");
        file.SetHttpFileName($"{page.Replace('/', '-')}{Extension}");
        headers.ContentDisposition = file.ToString();
        if (await calls.SendCsv(context, $"/v1/{page}{context.Request.QueryString}") is not { } problem) return;
        headers.Remove(HeaderNames.ContentDisposition);
        await Faults.Tell(context, problem);
    }
}
