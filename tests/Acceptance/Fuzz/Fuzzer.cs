using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>One lane of requests to an edition of its own: first each call's mutations one by one, as far as they are this lane's, then any mix of them.</summary>
internal sealed class Fuzzer
{
    // So many of each round of mixed requests are not broken; so many refusals may go by before everything is compared.
    private const int Round = 64, Whole = 13, MostUnchecked = 50;

    private readonly Api api;
    private readonly int lane, lanes;
    private readonly string seed;
    private readonly Values values;
    private readonly Watched rows;
    private readonly ImmutableArray<(Call Call, ImmutableArray<Mutation> Mutations)> calls;
    private readonly List<Draft> refused = [];

    // Something was carried out since the rows were noted.
    private bool isStale = true;

    private Fuzzer(Api api, Description description, int lane, int lanes, int seed)
    {
        (this.api, this.lane, this.lanes, this.seed) = (api, lane, lanes, $"seed {seed}, lane {lane}");
        values = new(new Random(seed * 31 + lane), description);
        rows = new(api);
        calls = [.. description.Calls.Select(call => (call, Mutations.Of(call, description)))];
        Succeeded = calls.Where(pair => !pair.Call.Streams).ToDictionary(pair => pair.Call.ToString(), _ => 0);
    }

    public int Sent { get; private set; }

    /// <summary>How often each call succeeded.</summary>
    public Dictionary<string, int> Succeeded { get; }

    public SortedDictionary<int, int> Statuses { get; } = [];

    public static async Task<Fuzzer> Run(int lane, int lanes, int seed, int requests)
    {
        await using var edition = await Words.AtDay0();
        await Served.Furnish(edition.Api);
        await edition.Api.Contract("C2", terms: new { type = "unlimited", unallocatedLifetimeDays = 30 });
        var description = new Description((await edition.Api.Get("/openapi/v1.json")).Is(200).Json);
        var fuzzer = new Fuzzer(edition.Api, description, lane, lanes, seed);
        await fuzzer.Run(requests);
        return fuzzer;
    }

    private async Task Run(int requests)
    {
        foreach (var (call, mutation) in calls.SelectMany(pair => pair.Mutations.Select(mutation => (pair.Call, mutation))).Where((_, i) => i % lanes == lane))
            if (Sent < requests * 2 / 3) await Try(Broken(call, mutation));
        while (Sent < requests) await Try(Any());
        await Compare();

        // Whatever was done, the books balance (G2).
        foreach (var contract in (string[])["C1", "C2", "B1"]) await api.Balanced(contract);
        Assert.True((bool)(await api.Get("/v1/accounts/A1/audit")).Is(200)["balanced"]!);
    }

    private Draft Any()
    {
        var (call, mutations) = values.Pick(calls);
        if (Sent % Round < Whole && !call.Streams) return Made(call);
        return values.Chance(0.5) ? Broken(call, values.Pick(mutations)) : Broken(call, values.Pick(mutations), values.Pick(mutations));
    }

    private Draft Broken(Call call, params IEnumerable<Mutation> mutations)
    {
        var draft = Made(call);
        foreach (var mutation in mutations)
        {
            draft.Broken.Add(mutation.What);
            mutation.Apply(draft);
        }

        // What never ends must not begin.
        if (call.Streams && !draft.Query.Any(pair => pair.Name == "color")) draft.Query.Add(("color", "red"));
        return draft;
    }

    private Draft Made(Call call)
    {
        var draft = new Draft(call);
        foreach (var parameter in call.Parameters)
        {
            if (parameter.In == "path") draft.Path[parameter.Name] = values.TextOf(parameter.Name, parameter.Schema);
            else if (parameter.IsRequired || values.Chance(parameter.Name == "clientId" ? 0.9 : 0.15))
                (parameter.In == "query" ? draft.Query : draft.Headers).Add((parameter.Name, values.TextOf(parameter.Name, parameter.Schema)));
        }
        if (call.Body is { } body) draft.Body = values.Of("", body) ?? new JsonObject();
        return draft;
    }

    private async Task Try(Draft draft)
    {
        // What may succeed is not told from what a refusal before it has changed.
        if (draft.Call.Changes && draft.Broken.Count == 0)
        {
            await Compare();
            await Prepare(draft);
        }
        else if (isStale)
        {
            await rows.Note();
            isStale = false;
        }
        var answer = await api.Send(draft.Call.Method, draft.Url, draft.Content, [.. draft.Headers]);
        Sent++;
        Statuses[answer.Status] = Statuses.GetValueOrDefault(answer.Status) + 1;
        Check(draft, answer);
        Remember(answer);
        if (answer.Status < 300 && draft.Call.Changes)
        {
            refused.Clear();
            isStale = true;
            return;
        }
        if (!isStale) refused.Add(draft);
        if (refused.Count >= MostUnchecked) await Compare();
    }

    // A preview is confirmed only while nothing else has changed, and a hold is captured before it ends.
    private async Task Prepare(Draft draft)
    {
        if (draft.Url.Contains("/capture", StringComparison.Ordinal))
        {
            // Whatever has become of contract and user until now.
            isStale = true;
            await api.Send("PATCH", "/v1/contracts/C2", """{"endsOn":null}""");
            await api.Put("/v1/contracts/C2/users/U1", new { name = "U1" });
            await api.Post("/v1/users/U1/enable", new { clientId = "A" });
            var held = await api.Post("/v1/reports", new
            {
                reportId = $"H-{Sent}", contractId = "C2", userId = "U1", players = new[] { new { playerId = $"H-{Sent}" } }, holdSeconds = 86_400,
            });
            if (held.Status == 201)
            {
                (draft.Path["reportId"], draft.Body) = ($"H-{Sent}", new JsonObject());
                draft.Query.RemoveAll(parameter => parameter.Name == "clientId");
                draft.Query.Add(("clientId", "A"));
            }
        }
        if (!draft.Url.EndsWith("/confirm", StringComparison.Ordinal)) return;
        var preview = await api.Send("POST", draft.Url.Replace("/confirm", "/preview", StringComparison.Ordinal), "{}");
        if (preview.Status == 200) draft.Body!["confirmationToken"] = (string)preview["confirmationToken"]!;
    }

    private void Check(Draft draft, Answer answer)
    {
        if (answer.Status >= 500) Fail(draft, answer, "is no fault of the service's");
        if (!draft.Call.Statuses.Contains($"{answer.Status}")) Fail(draft, answer, $"is answered with a status that is not described; those are {string.Join(", ", draft.Call.Statuses.Order())}");
        try
        {
            answer.Is(answer.Status, answer.Code);
        }
        catch (Exception e) when (e is Xunit.Sdk.XunitException or InvalidOperationException)
        {
            Fail(draft, answer, e.Message);
        }
        if (answer.Status < 300) Succeeded[draft.Call.ToString()]++;
    }

    private void Remember(Answer answer)
    {
        if (answer.Status >= 300 || answer.Text.Length == 0 || answer.Json is not JsonObject document) return;
        foreach (var name in (string[])["confirmationToken", "reportId"])
            if (document[name] is JsonValue value) values.Given[name] = (string)value!;
        if (document["holdUntil"] is JsonValue && document["captured"] is null && document["reportId"] is JsonValue held) values.Given["hold"] = (string)held!;
        if (document["nextCursor"] is JsonValue cursor) values.Given["cursor"] = (string)cursor!;
        if (document["now"] is JsonValue now) values.Now = now.GetValue<DateTime>().ToUniversalTime();
    }

    private async Task Compare()
    {
        if (refused.Count == 0) return;
        if (await rows.Changed() is { } changed)
            Assert.Fail($"{seed}: {changed} has changed by one of {refused.Count} refusals and reads:\n{string.Join("\n\n", refused)}");
        refused.Clear();
    }

    private void Fail(Draft draft, Answer answer, string why) => Assert.Fail($"{seed}, request {Sent}: {draft}\n{why}\n{answer.Status} {answer.Text}");
}
