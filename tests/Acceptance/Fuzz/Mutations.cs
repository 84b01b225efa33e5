using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>One thing that is broken in a request.</summary>
internal sealed record Mutation(string What, Action<Draft> Apply);

/// <summary>Everything that can be broken in a call, one at a time.</summary>
internal static class Mutations
{
    private static readonly string[] Bodies = ["", "{", "null", "[]", "5", "\"text\"", "{}", "<xml/>", "{\"\":1}", "{\"a\":1,\"a\":2}", "{\"color\":\"red\"}", $"{new string('[', 100)}{new string(']', 100)}"];

    private static readonly string[] ContentTypes = ["text/plain", "application/xml", "application/json; charset=utf-16", "application/json; charset=\"utf-8\"", "application/problem+json", "application/merge-patch+json"];

    public static ImmutableArray<Mutation> Of(Call call, Description description) => [.. OfParameters(call), .. OfHeaders(), .. OfBody(call, description)];

    private static IEnumerable<Mutation> OfParameters(Call call)
    {
        foreach (var parameter in call.Parameters)
            foreach (var text in Values.Broken(parameter))
                yield return new($"{parameter.In} {parameter.Name} {Short(text)}", draft => Set(draft, parameter, text));
        foreach (var parameter in call.Parameters.Where(parameter => parameter.In == "query"))
            yield return new($"{parameter.Name} twice", draft => draft.Query.AddRange([(parameter.Name, "1"), (parameter.Name, "1")]));
        yield return new("a parameter that is not known", draft => draft.Query.Add(("color", "red")));
        foreach (var parameter in call.Parameters.Where(parameter => parameter is { In: "query", IsRequired: true }))
            yield return new($"without {parameter.Name}", draft => draft.Query.RemoveAll(pair => pair.Name == parameter.Name));
    }

    // Headers that a call does not name are sent to it, too.
    private static IEnumerable<Mutation> OfHeaders()
    {
        (string, string)[] headers =
        [
            ("Idempotency-Key", "a b"), ("Idempotency-Key", ""), ("Idempotency-Key", new('k', 201)), ("If-Match", "\"other\""), ("If-Match", "nonsense"), ("If-Match", "W/\"1\""),
            ("If-None-Match", "*"), ("If-None-Match", "nonsense"), ("Accept", "text/html"), ("Accept-Encoding", "gzip"), ("Range", "bytes=0-1"), ("Expect", "100-continue"),
            ("X-HTTP-Method-Override", "DELETE"), ("Cookie", "a=b"), ("Origin", "https://elsewhere.example"),
        ];
        return headers.Select(header => new Mutation($"{header.Item1}: {Short(header.Item2)}", draft =>
        {
            draft.Headers.RemoveAll(present => present.Name == header.Item1);
            draft.Headers.Add(header);
        }));
    }

    private static IEnumerable<Mutation> OfBody(Call call, Description description)
    {
        if (call.Body is not { } body) yield break;
        foreach (var text in Bodies) yield return new($"body {Short(text)}", draft => draft.Text = text);
        yield return new("body cut off", draft => draft.Text = draft.Body?.ToJsonString()[..^1]);
        yield return new("more behind the body", draft => draft.Text = $"{draft.Body?.ToJsonString()}{{}}");
        foreach (var type in ContentTypes) yield return new($"Content-Type {type}", draft => draft.Headers.Add(("Content-Type", type)));
        yield return new("Content-Encoding gzip", draft => draft.Headers.Add(("Content-Encoding", "gzip")));
        foreach (var field in description.Fields(body))
        {
            yield return new($"without {field}", draft => draft.Set(field, null, isMissing: true));
            foreach (var value in Values.Broken(field.Schema)) yield return new($"{field} {Short(value?.ToJsonString() ?? "null")}", draft => draft.Set(field, value));
        }
    }

    private static void Set(Draft draft, Parameter parameter, string text)
    {
        if (parameter.In == "path")
        {
            draft.Path[parameter.Name] = text;
            return;
        }
        var pairs = parameter.In == "query" ? draft.Query : draft.Headers;
        pairs.RemoveAll(pair => pair.Name == parameter.Name);
        pairs.Add((parameter.Name, text));
    }

    private static string Short(string text) => text.Length > 40 ? $"{text[..20]}... ({text.Length})" : text.Length == 0 ? "empty" : text;
}
