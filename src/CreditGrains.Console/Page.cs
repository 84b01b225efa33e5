using System.Globalization;
using System.Text.Json.Nodes;
using CreditGrains.Domain;
using CreditGrains.Http;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Pages;

/// <summary>A page: who asks, what the address and the form say, and the calls of the API.</summary>
public abstract class Page : ComponentBase
{
    /// <summary>What a page tells after it was led to by a change.</summary>
    private static readonly Dictionary<string, string> Words = new()
    {
        ["saved"] = "Saved.",
        ["confirmed"] = "The credit allocation is confirmed.",
        ["created"] = "Created.",
        ["allocated"] = "The services credits are allocated.",
        ["voided"] = "What the report still had was given back.",
        ["captured"] = "The hold is captured.",
        ["withdrawn"] = "Withdrawn.",
        ["expired"] = "Expired.",
        ["adjusted"] = "The services credits are adjusted.",
    };

    [CascadingParameter]
    private protected HttpContext Http { get; set; } = null!;

    [Inject]
    private protected InsideCalls Calls { get; set; } = null!;

    /// <summary>Who asks.</summary>
    private protected Caller Caller => Http.Features.Get<Caller>()!;

    private protected bool MayManage => Caller.May(Access.Manage);

    private protected bool MayOperate => Caller.May(Access.Operate);

    /// <summary>Why the page, or what was asked of it, was refused; null: it was not.</summary>
    private protected Problem? Problem { get; set; }

    /// <summary>What has just been done, from the address; null: nothing.</summary>
    private protected string? Done => Query("done") is { } done ? Words.GetValueOrDefault(done) : null;

    private protected bool IsPost => HttpMethods.IsPost(Http.Request.Method);

    /// <summary>A parameter of the address; null: not given, or empty.</summary>
    private protected string? Query(string name) => Given(Http.Request.Query[name]);

    /// <summary>A field of the form as it was sent, without blanks around it; null: not sent, or empty.</summary>
    private protected string? Form(string name) => IsPost && Http.Request.HasFormContentType ? Given(Http.Request.Form[name]) : null;

    private protected bool Has(string field) => Form(field) is not null;

    /// <summary>What a field shows: as it was sent, else as it is.</summary>
    private protected string? Shown(string name, object? present) =>
        IsPost && Http.Request.HasFormContentType && Http.Request.Form.ContainsKey(name) ? Http.Request.Form[name] : Show.Value(present);

    /// <summary>The answer of a GET; null: it was refused, and the page shows why.</summary>
    private protected async Task<T?> Get<T>(string path) where T : class => (await Tagged<T>(path)).Value;

    /// <summary>The same with its tag.</summary>
    private protected async Task<(T? Value, string? Tag)> Tagged<T>(string path) where T : class
    {
        var answer = await Calls.Send(Http, HttpMethods.Get, path);
        if (answer.Problem is { } problem) Refuse(problem);
        return (answer.Value as T, answer.Tag);
    }

    /// <summary>A change; null: it was refused, and the page shows why.</summary>
    private protected Task<T?> Send<T>(string method, string path, JsonObject? body = null, string? tag = null) where T : class =>
        Send<T>(method, path, body, tag, null);

    /// <summary>Adds something, once for each form that is shown, however often that is sent: its answer may have been lost.</summary>
    private protected Task<T?> Add<T>(string path, JsonObject body) where T : class => Send<T>(HttpMethods.Post, path, body, null, Form("once"));

    /// <summary>The key of a form that adds something; the one that was sent where it is not known whether that was done.</summary>
    private protected string Once => Problem is { Status: >= 500 } && Form("once") is { } sent ? sent : $"{Guid.CreateVersion7():N}";

    private async Task<T?> Send<T>(string method, string path, JsonObject? body, string? tag, string? key) where T : class
    {
        var answer = await Calls.Send(Http, method, path, body, tag, key);
        if (answer.Problem is { } problem) Refuse(problem);
        return answer.Value as T;
    }

    // The status is set last: the framework shows no page of what is not found.
    private protected void Refuse(Problem problem)
    {
        if (Problem is null) Http.Response.OnStarting(() => Task.FromResult(Problem is { Status: var status } ? Http.Response.StatusCode = status : 0));
        Problem = problem;
    }

    /// <summary>Leads on after a change, so that loading the page again does not repeat it.</summary>
    private protected void Lead(string path, string? done = null)
    {
        Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        Http.Response.Headers.Location = done is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}done={done}";
    }

    /// <summary>A path of the API or the console; what is put into it is escaped.</summary>
    private protected static string At(FormattableString path) =>
        string.Format(CultureInfo.InvariantCulture, path.Format, [.. path.GetArguments().Select(part => Uri.EscapeDataString(Show.Value(part) ?? ""))]);

    /// <summary>The same with those parameters that have a value.</summary>
    private protected static string With(string path, params (string Name, string? Value)[] parameters) =>
        path + QueryString.Create(
            parameters.Where(parameter => parameter.Value is { Length: > 0 }).Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));

    private static string? Given(string? text) => text?.Trim() is { Length: > 0 } given ? given : null;
}
