using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>Every field of every call, broken in every way: each is answered by its status and code, and the ledger shows that nothing changed.</summary>
public sealed class FieldTable(Served served) : IClassFixture<Served>
{
    private const string Allocation =
        """{"enabled":true,"defaults":{"amount":5,"renewal":"weekly","frequency":1,"on":"monday","startDate":null},"applyToAll":false,"users":[{"userId":"U1","amount":5,"renewal":"monthly","frequency":1,"on":31,"startDate":"2026-12-01","extraCredits":1,"name":"N","assigned":true}],"reason":"N"}""";

    private static readonly (string, Kind)[] AllocationFields =
    [
        ("enabled", Kind.Flag), ("defaults.amount", Kind.Amount), ("defaults.renewal", Kind.Choice), ("defaults.frequency", Kind.Frequency), ("defaults.on", Kind.Weekday), ("defaults.startDate", Kind.Date),
        ("applyToAll", Kind.Flag), ("users", Kind.List), ("users[0].userId", Kind.External | Kind.Required), ("users[0].amount", Kind.Amount), ("users[0].renewal", Kind.Choice),
        ("users[0].frequency", Kind.Frequency), ("users[0].on", Kind.DayOfMonth), ("users[0].startDate", Kind.Date), ("users[0].extraCredits", Kind.Amount),
        ("users[0].name", Kind.Name), ("users[0].assigned", Kind.Flag), ("reason", Kind.Reason | Kind.NotEmpty),
    ];

    private static readonly Call[] Calls =
    [
        new("PUT /v1/contracts/{*C9}", """{"contractId":"C9","clientId":"A","name":"N","type":"metered","timeZone":"UTC","startsOn":"2026-01-01","endsOn":null,"unallocatedLifetimeDays":30,"coverageDays":30,"coverageFrom":"activation","billingCycle":{"unit":"month","credits":5,"every":1,"anchor":"2026-01-01"}}""",
            ("contractId", Kind.Id), ("clientId", Kind.Id | Kind.Required), ("name", Kind.Name | Kind.Required | Kind.NotEmpty), ("type", Kind.Choice | Kind.Required), ("timeZone", Kind.Zone),
            ("startsOn", Kind.Date | Kind.Required), ("endsOn", Kind.Date), ("unallocatedLifetimeDays", Kind.Days), ("coverageDays", Kind.Days | Kind.NotNull), ("coverageFrom", Kind.Choice | Kind.NotNull),
            ("billingCycle.unit", Kind.Choice | Kind.Required), ("billingCycle.credits", Kind.Quantity | Kind.Required), ("billingCycle.every", Kind.Days | Kind.NotNull), ("billingCycle.anchor", Kind.Date)),
        new("PUT /v1/contracts/{C1}/users", """{"users":[{"userId":"U7","name":"N"}]}""", ("users", Kind.List | Kind.Required), ("users[0].userId", Kind.External | Kind.Required), ("users[0].name", Kind.Name | Kind.Required)),
        new("POST /v1/contracts/{C1}/users", """{"users":[{"userId":"U7","name":"N"}]}""", ("users", Kind.List | Kind.Required), ("users[0].userId", Kind.External | Kind.Required), ("users[0].name", Kind.Name | Kind.Required)),
        new("PUT /v1/contracts/{C1}/users/{*U7}", """{"name":"N"}""", ("name", Kind.Name | Kind.Required)),
        new("DELETE /v1/contracts/{C1}/users/{U1}", null),
        new("POST /v1/users/{U1}/disable", """{"clientId":"A"}""", ("clientId", Kind.Id | Kind.Required | Kind.Known)),
        new("POST /v1/users/{U1}/enable", """{"clientId":"A"}""", ("clientId", Kind.Id | Kind.Required | Kind.Known)),
        new("POST /v1/contracts/{C1}/lots", """{"lotId":"G9","paymentId":"PAY-1","quantity":5,"availableFrom":null,"expiresAt":null}""",
            ("lotId", Kind.Id), ("paymentId", Kind.External | Kind.Required), ("quantity", Kind.Quantity | Kind.Required), ("availableFrom", Kind.Instant), ("expiresAt", Kind.Instant)),
        new("PATCH /v1/contracts/{C1}/lots/{G1}", """{"paymentId":"PAY-2","availableFrom":"2026-03-01T12:00:00Z","expiresAt":"2026-12-31T00:00:00Z","reason":"N"}""",
            ("paymentId", Kind.External), ("availableFrom", Kind.Instant), ("expiresAt", Kind.Instant), ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("POST /v1/contracts/{C1}/lots/{G1}/withdraw", """{"quantity":5,"reason":"N"}""", ("quantity", Kind.Quantity), ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("PATCH /v1/contracts/{C1}/allocations", Allocation, AllocationFields),
        new("POST /v1/contracts/{C1}/allocations/preview", Allocation, AllocationFields),
        new("POST /v1/contracts/{C1}/allocations/confirm", """{"confirmationToken":"T9"}""", ("confirmationToken", Kind.Id | Kind.Required | Kind.Known)),
        new("POST /v1/contracts/{C1}/allocations/{U1}/extra", """{"amount":5,"reason":"N"}""", ("amount", Kind.Extra | Kind.Required), ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("GET /v1/contracts/{C1}/allocations", null),
        new("GET /v1/contracts/{C1}/allocations/{U1}", null),
        new("GET /v1/contracts/{C1}/allocations/{U1}/renewals?count", null),
        new("GET /v1/users/{*U1}/allocations?clientId=A&limit&cursor&order", null),
        new("POST /v1/reports", """{"reportId":"R9","contractId":"C1","userId":"U1","players":[{"playerId":"P9","name":"N"}],"dryRun":false}""",
            ("reportId", Kind.Id | Kind.Required), ("contractId", Kind.Id | Kind.Required | Kind.Known), ("userId", Kind.External | Kind.Required), ("players", Kind.List | Kind.Required),
            ("players[0].playerId", Kind.External | Kind.Required), ("players[0].name", Kind.Name), ("dryRun", Kind.Flag)),
        new("POST /v1/reports/{*R1}/void?clientId", """{"reason":"N"}""", ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("POST /v1/reports/{*R1}/capture?clientId", null),
        new("POST /v1/reports/batch", """{"reports":[{}]}""", ("reports", Kind.List | Kind.Required)),
        new("POST /v1/credits", """{"clientId":"A","contractId":"C1","paymentId":"PAY-1","quantity":5,"expiresAt":null,"reason":"N"}""",
            ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty), ("clientId", Kind.Id | Kind.Required | Kind.Known), ("contractId", Kind.Id | Kind.Required | Kind.Known), ("paymentId", Kind.External | Kind.Required), ("quantity", Kind.Quantity | Kind.Required), ("expiresAt", Kind.Instant)),
        new("PUT /v1/accounts/{*A9}", """{"accountId":"A9","clientId":"A","name":"N","timeZone":"UTC"}""",
            ("accountId", Kind.Id), ("clientId", Kind.Id | Kind.Required), ("name", Kind.Name | Kind.Required | Kind.NotEmpty), ("timeZone", Kind.Zone)),
        new("POST /v1/accounts/{A1}/purchases", """{"purchaseId":"P9","currency":"EUR","quantity":5.5,"startsOn":"2026-01-01","expiresOn":"2026-12-31","description":"Season"}""",
            ("description", Kind.Reason), ("purchaseId", Kind.Id), ("currency", Kind.Currency | Kind.Required), ("quantity", Kind.Decimal | Kind.Required), ("startsOn", Kind.Date | Kind.Required), ("expiresOn", Kind.Date | Kind.Required)),
        new("PATCH /v1/accounts/{A1}/purchases/{P1}", """{"quantity":60.5,"startsOn":"2026-03-01","expiresOn":"2026-12-31","description":"Season","reason":"N"}""",
            ("description", Kind.Reason | Kind.NotEmpty), ("quantity", Kind.Decimal), ("startsOn", Kind.Date), ("expiresOn", Kind.Date), ("reason", Kind.Reason | Kind.NotEmpty)),
        new("POST /v1/accounts/{A1}/purchases/{P1}/expire", """{"reason":"N"}""", ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("PUT /v1/projects/{*J9}", """{"projectId":"J9","accountId":"A1","currency":"EUR"}""",
            ("projectId", Kind.Id), ("accountId", Kind.Id | Kind.Required | Kind.Known), ("currency", Kind.Currency | Kind.Required)),
        new("PUT /v1/milestones/{*M9}", """{"milestoneId":"M9","projectId":"J1","servicesCredits":5.5,"status":"Planned","actualDate":null}""",
            ("milestoneId", Kind.Id), ("projectId", Kind.Id | Kind.Required | Kind.Known), ("servicesCredits", Kind.Decimal | Kind.OrZero), ("status", Kind.Name | Kind.NotEmpty), ("actualDate", Kind.Date)),
        new("PATCH /v1/contracts/{C1}", """{"name":"N","endsOn":null,"coverageDays":30}""", ("name", Kind.Name | Kind.NotEmpty), ("endsOn", Kind.Date), ("coverageDays", Kind.Days | Kind.NotNull)),
        new("PATCH /v1/accounts/{A1}", """{"name":"N"}""", ("name", Kind.Name | Kind.NotEmpty)),
        new("PATCH /v1/projects/{J1}", """{"name":"N"}""", ("name", Kind.Name)),
        new("PATCH /v1/milestones/{M1}", """{"name":"N","status":"Planned","actualDate":null}""", ("name", Kind.Name), ("status", Kind.Name | Kind.NotEmpty), ("actualDate", Kind.Date)),
        new("POST /v1/milestones/{M1}/allocate", """{"dryRun":false,"from":[{"purchaseId":"P1","quantity":5}]}""",
            ("dryRun", Kind.Flag), ("from", Kind.List), ("from[0].purchaseId", Kind.Required), ("from[0].quantity", Kind.Decimal | Kind.Required)),
        new("POST /v1/projects/{J1}/allocate", """{"dryRun":false}""", ("dryRun", Kind.Flag)),
        new("POST /v1/milestones/{M1}/adjust", """{"quantity":2.5,"dryRun":false}""", ("quantity", Kind.Decimal | Kind.OrZero | Kind.Required), ("dryRun", Kind.Flag)),
        new("PATCH /v1/credits/{C1~G1~000000001}", """{"status":"ALLOCATED","playerId":"P9","playerName":"N","expiresAt":"2026-06-01T00:00:00Z","reason":"N"}""",
            ("status", Kind.Choice), ("playerId", Kind.External), ("playerName", Kind.Name), ("expiresAt", Kind.Instant), ("reason", Kind.Reason | Kind.Required | Kind.NotEmpty)),
        new("POST /v1/clock", """{"advanceTo":"2026-06-01T00:00:00Z"}""", ("advanceTo", Kind.Instant | Kind.Required)),
        new("GET /v1/contracts/{C1}", null),
        new("GET /v1/contracts?clientId&name&state&type&limit&cursor&order", null),
        new("GET /v1/clients?limit&cursor&order", null),
        new("GET /v1/users?clientId&name&limit&cursor&order", null),
        new("GET /v1/users/{*U1}?clientId=A", null),
        new("PUT /v1/users/{*U7}?clientId=A", """{"userId":"U7","clientId":"A","name":"N","disabled":false}""",
            ("userId", Kind.External), ("clientId", Kind.Id), ("name", Kind.Name | Kind.Required), ("disabled", Kind.Flag)),
        new("GET /v1/contracts/{C1}/users?limit&cursor&order", null),
        new("GET /v1/contracts/{C1}/lots?paymentId&limit&cursor&order", null),
        new("GET /v1/contracts/{C1}/lots/{G1}", null),
        new("GET /v1/contracts/{C1}/audit?full", null),
        new("GET /v1/contracts/{C1}/balance?at", null),
        new("GET /v1/reports/{*R1}?clientId", null),
        new("GET /v1/reports?clientId&contractId&userId&from&to&limit&cursor&order", null),
        new("GET /v1/credits?clientId&contractId&status&playerId&userId&lotId&paymentId&reportId&createdFrom&createdTo&expiresFrom&expiresTo&limit&cursor&order", null),
        new("GET /v1/credits/summary?clientId&contractId&status&playerId&userId&lotId&paymentId&reportId&createdFrom&createdTo&expiresFrom&expiresTo", null),
        new("GET /v1/payments?clientId&contractId&limit&cursor&order", null),
        new("GET /v1/contracts/{C1}/statement?from&to", null),
        new("GET /v1/accounts/{A1}/statement?from&to", null),
        new("GET /v1/credits/{C1~G1~000000001}", null),
        new("GET /v1/ledger/feed?clientId&contractId&cursor", null),
        new("GET /v1/usage?clientId&contractId&userId&from&to&groupBy&limit&cursor&order", null),
        new("GET /v1/ledger?clientId&contractId&userId&reportId&accountId&kind&actor&from&to&limit&cursor&order", null),
        new("GET /v1/accounts/{A1}", null),
        new("GET /v1/accounts?clientId&limit&cursor&order", null),
        new("GET /v1/accounts/{A1}/purchases?limit&cursor&order", null),
        new("GET /v1/accounts/{A1}/purchases/{P1}", null),
        new("GET /v1/accounts/{A1}/balance?at", null),
        new("GET /v1/accounts/{A1}/audit", null),
        new("GET /v1/accounts/{A1}/consumptions?limit&cursor&order", null),
        new("GET /v1/accounts/{A1}/allocations?limit&cursor&order", null),
        new("GET /v1/projects/{J1}", null),
        new("GET /v1/projects?clientId&accountId&limit&cursor&order", null),
        new("GET /v1/milestones/{M1}", null),
        new("GET /v1/milestones?clientId&accountId&projectId&status&allocated&limit&cursor&order", null),
        new("GET /v1/milestones/{M1}/allocations?limit&cursor&order", null),
        new("GET /v1/milestones/{M1}/consumptions?limit&cursor&order", null),
        new("GET /v1/settings/services-credits", null),
        new("GET /v1/clock", null),
        new("GET /v1/me", null),
    ];

    private static readonly Dictionary<(string Call, string Mutation), Case> Cases = Calls
        .SelectMany(call => call.Cases().Select(broken => (Key: (call.Name, broken.Mutation), broken)))
        .ToDictionary(pair => pair.Key, pair => pair.broken);

    public static IEnumerable<TheoryDataRow<string, string>> Rows => Cases.Keys.Select(key => new TheoryDataRow<string, string>(key.Call, key.Mutation));

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Is_refused_and_changes_nothing(string call, string mutation)
    {
        var broken = Cases[(call, mutation)];
        (await served.Api.Send(broken.Method, broken.Path, broken.Body, broken.Headers)).Is(broken.Status, broken.Code, broken.Field);

        Assert.Equal(served.LastEntry, await served.Api.LastEntry());
        Assert.Equal(Words.Day(0), (string)(await served.Api.Get("/v1/clock"))["now"]!);
    }

    [Fact]
    public void The_table_covers_every_field_of_every_body() => Assert.All(Calls.Where(call => call.Body is not null), call =>
        Assert.Equal(Leaves(JsonNode.Parse(call.Body!)!, "").Order(), call.Fields.Where(field => (field.Kind & Kind.List) == 0).Select(field => field.Path).Order()));

    private static IEnumerable<string> Leaves(JsonNode? node, string path) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Leaves(field.Value, path is "" ? field.Key : $"{path}.{field.Key}")),
        JsonArray items => items.SelectMany((item, i) => Leaves(item, $"{path}[{i}]")),
        _ => [path],
    };

    [Flags]
    private enum Kind
    {
        Id = 1, Name = 2, Choice = 4, Zone = 8, Date = 16, Instant = 32, Days = 64, Quantity = 128, Flag = 256, List = 512, Required = 1024, Known = 2048, NotNull = 4096, NotEmpty = 8192,
        Amount = 1 << 14, Frequency = 1 << 15, Weekday = 1 << 16, DayOfMonth = 1 << 17, Extra = 1 << 18, Reason = 1 << 19, Decimal = 1 << 20, OrZero = 1 << 21, Currency = 1 << 22,
        External = 1 << 23,
    }

    private sealed record Case(string Mutation, string Method, string Path, string? Body, int Status, string Code, string? Field, params (string, string)[] Headers);

    // A path's {id} must be there, its {*id} need not be; ?a&b are its query parameters.
    private sealed record Call(string Name, string? Body, params (string Path, Kind Kind)[] Fields)
    {
        private const string Malformed = "malformed", Invalid = "invalid-field", Unknown = "unknown-field", NotFound = "not-found", MediaType = "unsupported-media-type";

        private static readonly string TooLong = new('x', 65);

        private string Method => Name.Split(' ')[0];

        private string Path => Name.Split(' ')[1].Split('?')[0];

        private string[] Parameters => [.. Query.Where(parameter => !parameter.Contains('='))];

        // Some calls need one in any case.
        private string Needed => string.Concat(Query.Where(parameter => parameter.Contains('=')).Select(parameter => $"{parameter}&"));

        private string[] Query => Name.Split('?') is [_, var query] ? query.Split('&') : [];

        // A POST whose fields are all optional takes no body for an empty one; whose user it is, a key of one client need not say.
        private bool NeedsNone => Method == "POST" && (Path.EndsWith("able", StringComparison.Ordinal)
            || !Fields.Any(part => part.Kind.HasFlag(Kind.Required) && !part.Path.Contains('.')));

        private string ValidPath => Path.Replace("{*", "").Replace("{", "").Replace("}", "");

        public IEnumerable<Case> Cases() => InPath().Concat(InQuery()).Concat(Body is null ? [] : InBody().Concat(Fields.SelectMany(field => InField(field.Path, field.Kind))));

        private IEnumerable<Case> InPath()
        {
            foreach (var id in Path.Split('/').Where(part => part.StartsWith('{')))
            {
                Case With(string mutation, string to, int status, string code) => new($"{id} {mutation}", Method, Path.Replace(id, to).Replace("{*", "").Replace("{", "").Replace("}", ""), Body, status, code, null);

                if (!id.StartsWith("{*")) yield return With("unknown", "nobody", 404, NotFound);
                var (status, code) = id.Contains('~') ? (404, NotFound) : (422, Invalid);
                yield return With("too long", TooLong, status, code);
                var isExternal = id.Contains('U', StringComparison.Ordinal);
                yield return With("with a blank", isExternal ? "%20a" : "a%20b", status, code);
                if (!isExternal) yield return With("with a slash", "a%2Fb", status, code);
                yield return With("with a tilde", "a~b", status, code);
                yield return With("of SQL", "%27%3B%20DROP%20TABLE%20lots%3B--", status, code);
                yield return With("of another script", "%D0%B6%F0%9F%8E%BD", status, code);
            }
            yield return new("wrong method", Path.Contains("}/users/{", StringComparison.Ordinal) ? "PATCH" : "DELETE", ValidPath, "{}", 405, "method-not-allowed", null);
            yield return new("longer path", Method, $"{ValidPath}/nothing/here", Body, 404, NotFound, null);
        }

        private IEnumerable<Case> InQuery()
        {
            Case With(string mutation, string query, int status, string code, string field) => new($"query {mutation}", Method, $"{ValidPath}?{Needed}{query}", Body, status, code, field);

            yield return With("unknown", "color=red", 400, Unknown, "color");
            yield return With("of the path", "contractId2=C1", 400, Unknown, "contractId2");
            foreach (var name in Parameters)
            {
                yield return With($"{name} twice", $"{name}=1&{name}=1", 400, Malformed, name);
                var broken = name switch
                {
                    "limit" or "count" => (Invalid, ["0", "-1", "1001", "ten", "1.5", "", "99999999999999999999"]),
                    "cursor" => (Malformed, ["nonsense", "", "%00", "AAAA", "%27%20OR%201=1"]),
                    "from" or "to" when Path.EndsWith("/statement", StringComparison.Ordinal) =>
                        (Invalid, ["", "soon", "2026-02-30", "2026-01-01T00:00:00Z", "9999-12-31"]),
                    "from" or "to" or "at" => (Invalid, ["", "soon", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T00:00:00Z"]),
                    "order" => (Invalid, ["", "up", "DESC", "asc,desc", "0"]),
                    "groupBy" => (Invalid, ["", "year", "Day", "1", "day,day", "day,"]),
                    "createdFrom" or "createdTo" or "expiresFrom" or "expiresTo" => (Invalid, ["", "soon", "2026-01-01"]),
                    "state" or "type" or "kind" => (Invalid, ["", "gold", "Running", "1", "metered,unlimited"]),
                    "name" or "actor" => (Invalid, ["", new string('x', 201), "%00", "a%0Ab"]),
                    "status" when Path.EndsWith("/milestones", StringComparison.Ordinal) => (Invalid, ["", TooLong, "%00", "a%0Ab"]),
                    "allocated" => (Invalid, ["", "True", "1", "yes"]),
                    "status" => (Invalid, ["", "GOLD", "allocated", "1", "ALLOCATED,ALLOCATED", "ALLOCATED, EXPIRED"]),
                    _ => (Invalid, (string[])["", name is "lotId" or "paymentId" ? new string('x', 201) : TooLong, name is "userId" or "playerId" or "paymentId" ? "a%20" : "a%20b", "a~b", "%27%20OR%201=1", "%F0%9F%8E%BD", "%00"]),
                };
                foreach (var value in broken.Item2)
                    yield return With($"{name}={value}", $"{name}={value}", broken.Item1 == Malformed ? 400 : 422, broken.Item1, name);
            }
        }

        private IEnumerable<Case> InBody()
        {
            Case With(string mutation, string? body, string code = Malformed, string? field = null, int status = 400, params (string, string)[] headers) => new($"body {mutation}", Method, ValidPath, body, status, code, field, headers);

            if (!NeedsNone)
            {
                yield return With("missing", null);
                yield return With("empty", "");
            }
            yield return With("cut off", Body![..^1]);
            yield return With("with more after it", Body + "{}");
            yield return With("null", "null");
            yield return With("a list", "[]");
            yield return With("a number", "5");
            yield return With("XML", "<report/>");
            yield return With("nested deeply", new string('[', 200) + new string(']', 200));
            yield return With("half a surrogate pair", $$"""{"{{Fields[0].Path}}":"\ud83c"}""", Invalid, Fields[0].Path, 422);
            foreach (var type in (string[])["text/plain", "", "application/json; charset=utf-16", "application/json; charset=bogus", "application/json; charset=\"utf-7\""])
                yield return With($"of content type '{type}'", Body, MediaType, "Content-Type", 415, ("Content-Type", type));
            yield return With("that is compressed", Body, MediaType, "Content-Encoding", 415, ("Content-Encoding", "gzip"));
            yield return With("too large", Body + new string(' ', (Path == "/v1/reports/batch" ? 17 : 5) << 20), "too-large", null, 413, ("Expect", "100-continue"));
            yield return With("with a field that is not known", $$"""{"color":null,{{Body[1..]}}""", Unknown, "color");
            yield return With("with a field in capitals", $$"""{"{{Fields[0].Path.ToUpperInvariant()}}":null,{{Body[1..]}}""", Unknown);
            yield return With("with a field twice", $$"""{"{{Fields[0].Path}}":null,{{Body[1..]}}""");
            if (Fields.Any(field => field.Kind.HasFlag(Kind.List)))
                yield return With("with an item's field that is not known", Body.Replace("[{", """[{"color":"red",""").Replace(",}", "}"), Unknown, $"{Fields.Single(field => field.Kind.HasFlag(Kind.List)).Path}[0].color");
        }

        private IEnumerable<Case> InField(string path, Kind kind)
        {
            Case With(string mutation, string value, int status) => new($"{path} {mutation}", Method, ValidPath, Set(path, JsonNode.Parse(value)), status, status == 400 ? Malformed : status == 404 ? NotFound : Invalid, path);
            Case Odd(string value) => With(value, value, 422);
            Case Out(string value) => With(value.Length > 40 ? $"{value[..20]}..." : value, value, 422);

            if (kind.HasFlag(Kind.Required))
            {
                yield return new($"{path} missing", Method, ValidPath, Remove(path), 422, Invalid, path);
                yield return With("null", "null", 422);
            }
            if (kind.HasFlag(Kind.NotNull)) yield return Odd("null");
            if (kind.HasFlag(Kind.Known)) yield return With("unknown", "\"nobody\"", 404) with { Field = null };

            var odd = kind.HasFlag(Kind.Flag) ? ["\"true\"", "1"]
                : (kind & (Kind.Days | Kind.Quantity | Kind.Amount | Kind.Frequency | Kind.Extra)) != 0 ? ["\"5\"", "1.5", "true", "[]", "1e99", "99999999999999999999"]
                : (kind & (Kind.Weekday | Kind.DayOfMonth)) != 0 ? ["true", "{}", "[1]", "1.5", "\"\"", "\"Monday\"", "\"1\"", "\"someday\"", "99999999999"]
                : kind.HasFlag(Kind.Decimal) ? ["\"5\"", "true", "[]", "1e400", "1.00000000000000000000000000001"]
                : kind.HasFlag(Kind.List) ? ["\"P1\"", "5", "{\"0\":1}"]
                : (string[])["5", "true", "{}", "[\"a\"]"];
            foreach (var value in odd) yield return Odd(value);
            if (kind.HasFlag(Kind.Choice)) foreach (var value in (string[])["\"\"", "\"gold\"", "\"metered,unlimited\""]) yield return Odd(value);
            if (kind.HasFlag(Kind.Date)) foreach (var value in (string[])["\"\"", "\"soon\"", "\"2026-02-30\"", "\"2026-01-01T00:00:00Z\""]) yield return Odd(value);
            if (kind.HasFlag(Kind.Instant)) foreach (var value in (string[])["\"\"", "\"soon\"", "\"2026-01-01\"", "\"2026-01-01T00:00:00\"", "\"2026-01-01T25:00:00Z\""]) yield return Odd(value);

            var broken = kind.HasFlag(Kind.Id) ? ["\"\"", $"\"{TooLong}\"", "\"a b\"", "\"a/b\"", "\"a~b\"", "\"é\"", "\"🎽\"", "\"a\\u0000b\"", "\"a\\nb\"", "\"'; DROP TABLE lots;--\"", "\"<script>\"", "\"../..\""]
                : kind.HasFlag(Kind.External) ? ["\"\"", $"\"{TooLong}\"", "\" a\"", "\"a \"", "\"a  b\"", "\"a\\u00a0b\"", "\"a~b\"", "\"🎽\"", "\"a\\u0000b\"", "\"a\\nb\"", "\"a\\u200bb\"", "\"'; DROP TABLE lots;--\"", "\"<script>\""]
                : kind.HasFlag(Kind.Name) ? [$"\"{new string('x', 201)}\"", "\"a\\u0000b\"", "\"a\\nb\"", "\"\\u001b[31m\"", "\"\\u0085\""]
                : kind.HasFlag(Kind.Zone) ? ["null", "\"\"", "\"Mars/Olympus\"", "\"utc\"", "\"UTC+00:01\"", $"\"{TooLong}\""]
                : kind.HasFlag(Kind.Date) ? ["\"9999-12-31\"", "\"0001-01-01\""]
                : kind.HasFlag(Kind.Instant) ? ["\"9999-12-31T00:00:00Z\"", "\"0001-01-01T00:00:00Z\""]
                : kind.HasFlag(Kind.Days) ? ["0", "-1", "36501"]
                : kind.HasFlag(Kind.Amount) ? ["-1", "1000000000", "9223372036854775807"]
                : kind.HasFlag(Kind.Frequency) ? ["0", "-1", "1001"]
                : kind.HasFlag(Kind.Weekday) ? ["1", "0", "32", "-1"]
                : kind.HasFlag(Kind.DayOfMonth) ? ["\"monday\"", "0", "32", "-1"]
                : kind.HasFlag(Kind.Extra) ? ["0", "-1", "1000000000", "-9223372036854775808"]
                : kind.HasFlag(Kind.Reason) ? [$"\"{new string('x', 1_001)}\"", "\"  \"", "\"a\\u0000b\""]
                : kind.HasFlag(Kind.Quantity) ? ["0", "-1", "1000000000", "9223372036854775807"]
                : kind.HasFlag(Kind.Decimal) ? [.. kind.HasFlag(Kind.OrZero) ? (string[])[] : ["0", "0.0"], "-1", "-0.5", "0.00001", "1.23456", "1000000000", "1e20"]
                : kind.HasFlag(Kind.Currency) ? ["\"\"", "\"eur\"", "\"EURO\"", "\"XYZ\"", "\"€\"", "\"EU\\u0000\""]
                : (string[])[];
            foreach (var value in broken) yield return Out(value);
            if (kind.HasFlag(Kind.NotEmpty)) yield return Out("\"\"");
            if (!kind.HasFlag(Kind.List)) yield break;
            yield return With("of numbers", "[5]", 422) with { Field = $"{path}[0]" };
            yield return With("of null", "[null]", 422) with { Field = $"{path}[0]" };
        }

        private string Set(string path, JsonNode? value)
        {
            var (root, parent, name) = Find(path);
            parent[name] = value;
            return root.ToJsonString();
        }

        private string Remove(string path)
        {
            var (root, parent, name) = Find(path);
            parent.Remove(name);
            return root.ToJsonString();
        }

        private (JsonNode Root, JsonObject Parent, string Name) Find(string path)
        {
            var root = JsonNode.Parse(Body!)!;
            return path.Split("[0].") is [var list, var name] ? (root, root[list]![0]!.AsObject(), name)
                : path.Split('.') is [var part, var field] ? (root, root[part]!.AsObject(), field)
                : (root, root.AsObject(), path);
        }
    }
}
