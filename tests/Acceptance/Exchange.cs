using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>The first exchange that anybody has with the service.</summary>
public sealed class Exchange
{
    [Fact]
    public async Task A_report_is_charged_once_repeated_freely_and_explained_by_the_ledger()
    {
        await using var edition = await Edition.Start();
        var api = edition.Api;

        var contract = (await api.Put("/v1/contracts/C1", new { clientId = "A", name = "Scouting 2026", type = "metered", startsOn = "2020-01-01" })).Is(201);
        Assert.Equal(
            """{"contractId":"C1","clientId":"A","name":"Scouting 2026","type":"metered","timeZone":"UTC","startsOn":"2020-01-01","endsOn":null,"unallocatedLifetimeDays":30,"coverageDays":30,"coverageFrom":"activation","voidMinutes":0}""",
            contract.Text);
        (await api.Put("/v1/contracts/C1/users/U1", new { name = "Ann" })).Is(200);
        var lot = (await api.Post("/v1/contracts/C1/lots", new { lotId = "L1", paymentId = "INV-1", quantity = 100 })).Is(201);
        Assert.Equal((100, "purchase"), ((int)lot["available"]!, (string)lot["source"]!));

        var first = (await api.Report("R1", ["P1", "P2"])).Is(201);
        Assert.Equal((2, 0, 98), (first.Charged(), (int)first["covered"]!, (int)first["balance"]!["contractRemaining"]!));
        Assert.Null(first["balance"]!["userAvailable"]);
        Assert.Equal("C1~L1~000000001", (string)first["players"]![0]!["creditId"]!);

        var again = (await api.Report("R1", ["P1", "P2"])).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(first.Text, (await api.Get("/v1/reports/R1?clientId=A")).Is(200).Text);

        var covered = (await api.Report("R2", ["P2", "P3"])).Is(201);
        Assert.Equal((1, 1), (covered.Charged(), (int)covered["covered"]!));

        var credit = (await api.Get("/v1/credits/C1~L1~000000001")).Is(200);
        Assert.Equal(("ALLOCATED", "P1", "Player P1", "U1", "R1"), ((string)credit["status"]!, (string)credit["playerId"]!, (string)credit["playerName"]!, (string)credit["usedBy"]!, (string)credit["reportId"]!));

        var kinds = (await api.All("/v1/ledger?contractId=C1")).Select(entry => (string)entry["kind"]!);
        Assert.Equal(["contract-set", "user-set", "lot-granted", "credits-charged", "credits-charged"], kinds);
        var audit = await api.Balanced();
        Assert.Equal((100, 97, 3, 3), ((int)audit["granted"]!, (int)audit["unallocated"]!, (int)audit["allocated"]!, (int)audit["used"]!));
    }

    [Fact]
    public async Task T4_Without_the_option_there_is_no_clock_to_move()
    {
        await using var edition = await Edition.Start();

        (await edition.Api.Get("/v1/clock")).Is(404, "not-found");
        (await edition.Api.Post("/v1/clock", new { advanceTo = Words.Day(0) })).Is(404, "not-found");
    }

    [Fact]
    public async Task It_says_whether_it_lives_and_describes_its_calls()
    {
        await using var edition = await Edition.Start(new(TestClock: Words.Day(0)));

        (await edition.Api.Get("/health/live")).Is(200);
        (await edition.Api.Get("/health/ready")).Is(200);
        var paths = (await edition.Api.Get("/openapi/v1.json")).Is(200)["paths"]!;
        var report = paths["/v1/reports"]!["post"]!;
        Assert.NotNull(report["requestBody"]);
        Assert.Contains("insufficient-contract-credits", (string)report["responses"]!["402"]!["description"]!);
        Assert.Contains("report-id-reused", (string)report["responses"]!["409"]!["description"]!);
        Assert.NotNull(report["responses"]!["201"]!["content"]!["application/json"]!["schema"]);
        Assert.NotNull(paths["/v1/clock"]);
        Assert.StartsWith(
            "insufficient-services-credits: ", (string)paths["/v1/milestones/{milestoneId}/allocate"]!["post"]!["responses"]!["402"]!["description"]!,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "not-allocated: ", (string)paths["/v1/milestones/{milestoneId}/adjust"]!["post"]!["responses"]!["409"]!["description"]!, StringComparison.Ordinal);
        Assert.Single(paths["/v1/milestones/{milestoneId}/consumptions"]!.AsObject());
        var schemas = (await edition.Api.Get("/openapi/v1.json"))["components"]!["schemas"]!;
        Assert.Equal(["reportId", "contractId", "userId", "players"], schemas["ReportBody"]!["required"]!.AsArray().Select(name => (string)name!));
        Assert.NotNull(schemas["Problem"]!["properties"]!["contractRemaining"]);
        Assert.Equal("number", (string)schemas["Problem"]!["properties"]!["toAllocate"]!["type"]!);
        Assert.Equal("number", (string)schemas["MilestoneDocument"]!["properties"]!["servicesCredits"]!["type"]!);
    }

    [Fact]
    public async Task Its_description_can_be_generated_from()
    {
        await using var edition = await Edition.Start(new(TestClock: Words.Day(0)));
        var document = (await edition.Api.Get("/openapi/v1.json")).Is(200);
        var schemas = document["components"]!["schemas"]!.AsObject();

        // Each call has a name, each type its own, and values are told where they stand.
        var ids = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(call => (string)call.Value!["operationId"]!).ToList();
        Assert.Equal(ids.Distinct(), ids);
        Assert.NotNull(schemas["AllocationBodyUser"]!["properties"]!["amount"]);
        Assert.NotNull(schemas["SwitchedUser"]!["properties"]!["disabled"]);
        Assert.DoesNotContain("Instant", schemas.Select(schema => schema.Key));

        foreach (var (name, schema) in schemas)
        {
            // What a body must have is not null; answers may gain fields.
            var isBody = name.Contains("Body", StringComparison.Ordinal);
            Assert.True(isBody == (schema!["additionalProperties"]?.ToJsonString() == "false"), name);
            if (isBody)
                foreach (var required in schema["required"]?.AsArray() ?? [])
                    Assert.DoesNotContain("null", $"{schema["properties"]![(string)required!]!["type"]}");

            foreach (var (field, property) in schema["properties"]!.AsObject())
            {
                // Each field says what it means, and each value is shown.
                Assert.True(property!["description"] is not null, $"{name}.{field} has no description");
                var isValue = property["type"] is { } type && !type.ToJsonString().Contains("array", StringComparison.Ordinal) && (string?)(type as JsonValue) != "null";
                Assert.True(!isValue || property["examples"] is not null, $"{name}.{field} has no example");

                // Where null and another type are both possible, only one of them fits.
                if (property["oneOf"] is { } either) Assert.Equal("object", (string?)schemas[((string)either[1]!["$ref"]!).Split('/')[^1]]!["type"]);
            }
        }
        Assert.All(document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()), call =>
        {
            Assert.NotEmpty((string)call.Value!["summary"]!);
            Assert.NotEmpty((string)call.Value["description"]!);
            Assert.All(call.Value["parameters"]?.AsArray() ?? [], parameter => Assert.NotNull(parameter!["description"]));
        });

        // Limits are those of the checks.
        Assert.Equal((1, 999_999_999), ((int)schemas["LotBody"]!["properties"]!["quantity"]!["minimum"]!, (int)schemas["LotBody"]!["properties"]!["quantity"]!["maximum"]!));
        Assert.Equal((64, "^[A-Za-z0-9._:-]+$"), Text("ReportBody", "reportId"));
        Assert.Equal(200, Text("ContractBody", "name").MaxLength);
        Assert.Equal(10_000, (int)schemas["AllocationBody"]!["properties"]!["users"]!["maxItems"]!);

        // What a PUT must have stays so beside the patch of it, which needs none of it.
        Assert.Equal(["clientId", "name", "type", "startsOn"], Required("ContractBody"));
        Assert.Empty(Required("ContractPatchBody"));
        Assert.Equal(["userId"], Required("AllocationBodyUser"));
        Assert.Equal(["reason"], Required("CreditBody"));

        // Headers are named where they are taken.
        Assert.Equal(["If-Match", "If-None-Match"], Taken("/v1/contracts/{contractId}", "put"));
        Assert.Equal(["Idempotency-Key", "If-Match", "If-None-Match"], Taken("/v1/milestones/{milestoneId}/adjust", "post"));
        Assert.Equal(["Idempotency-Key"], Taken("/v1/reports", "post"));
        Assert.Empty(Taken("/v1/contracts/{contractId}/users/{userId}", "delete"));

        Assert.Contains("report-id-reused", schemas["Problem"]!["properties"]!["code"]!["enum"]!.AsArray().Select(code => (string)code!));
        Assert.Equal("/", (string)document["servers"]![0]!["url"]!);

        (int MaxLength, string Pattern) Text(string schema, string field) =>
            ((int)schemas[schema]!["properties"]![field]!["maxLength"]!, (string)schemas[schema]!["properties"]![field]!["pattern"]!);

        IEnumerable<string> Required(string schema) => (schemas[schema]!["required"]?.AsArray() ?? []).Select(name => (string)name!);

        IEnumerable<string> Taken(string path, string method) => (document["paths"]![path]![method]!["parameters"]?.AsArray() ?? [])
            .Where(parameter => (string)parameter!["in"]! == "header").Select(parameter => (string)parameter!["name"]!);
    }

    [Theory]
    [InlineData("GET /v1/me", 418, "", "{}", "no such status")]
    [InlineData("GET /v2/me", 200, "", "{}", "no call")]
    [InlineData("GET /v1/me", 200, "ETag: 1, X-New: 1", "{}", "no header X-New")]
    [InlineData("GET /v1/me", 200, "", "{}", "header ETag is missing")]
    [InlineData("GET /v1/me", 200, "ETag: 1", """{"name":"n","role":"king","clientId":null,"userId":null,"may":[]}""", "/role")]
    [InlineData("GET /v1/me", 200, "ETag: 1", """{"name":"n","role":"manager","clientId":"A","userId":null,"may":["read"]}""", null)]
    public async Task What_the_document_does_not_say_is_found(string call, int status, string headers, string body, string? fault)
    {
        using var answer = new HttpResponseMessage((System.Net.HttpStatusCode)status) { Content = new StringContent(body, null, "application/json") };
        foreach (var header in $"{headers}, Request-Id: 1".Split(", ", StringSplitOptions.RemoveEmptyEntries))
            answer.Headers.TryAddWithoutValidation(header.Split(": ")[0], $"\"{header.Split(": ")[1]}\"");

        var check = Described.Check(call.Split(' ')[0], call.Split(' ')[1], answer, body);
        if (fault is null) await check;
        else Assert.Contains(fault, (await Assert.ThrowsAnyAsync<Exception>(() => check)).Message);
    }
}
