using System.Text.Json.Nodes;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>The operations of a document: what each takes, answers and refuses, from the metadata of its endpoint.</summary>
internal sealed class OpenApiOperations(OpenApiDocument document, OpenApiSchemas schemas)
{
    // What any call may be answered with, whatever it does; and any call with a body.
    private static readonly string[] Common =
    [
        Problems.Malformed, Problems.UnknownField, Problems.Unauthenticated, Problems.Forbidden,
        Problems.Overloaded.Code, Problems.Unavailable, Problems.Internal,
    ];

    private static readonly string[] OfBodies = [Problems.Timeout, Problems.TooLarge, Problems.MediaType];

    // Statuses that mean the same wherever they are answered.
    private static readonly int[] Shared = [400, 401, 403, 408, 413, 415, 429, 500, 503];

    private static readonly Dictionary<string, Word> Headers = new()
    {
        [HeaderNames.ETag] = new("The version of what is answered, for If-Match and If-None-Match.", "\"3f0c9a5b7d1e4f62a8b0c1d2\""),
        [HeaderNames.Link] = new("The next page, rel=\"next\"; left out on the last one.", "</v1/contracts?cursor=eyJsIjoiY29udHJhY3RzIn0>; rel=\"next\""),
        [HeaderNames.Location] = new("Where what was made is.", "/v1/reports/R1?clientId=acme"),
        [HeaderNames.RetryAfter] = new("Seconds to wait before the request is sent again.", "1"),
        [HeaderNames.WWWAuthenticate] = new("How to authenticate.", "Bearer realm=\"CreditGrains\""),
        [IdempotencyKeys.Replayed] = new("true: this is the first answer, given again.", "true"),
        ["RateLimit"] = new("What is left of the key's requests in this second.", "\"key\";r=9999;t=1"),
        ["RateLimit-Policy"] = new("How many requests the key may begin in a second.", "\"key\";q=10000;w=1"),
        [Conventions.RequestId] = new("The request, as in problems and in the log.", "0199d0c2a7d87b3f9a4e5c6d7e8f9a0b"),
    };

    // Headers that an answer may also lack.
    private static readonly HashSet<string> Optional = [HeaderNames.Link, IdempotencyKeys.Replayed, "RateLimit", "RateLimit-Policy"];

    private static readonly Dictionary<string, Word> TakenHeaders = new()
    {
        [IdempotencyKeys.Header] = new(
            $"Sent again with the same key, the same request gets its first answer; {IdempotencyKeys.Rule}.", "3b7e0f52-9d0c-4a52-8f4e-6a1b2c3d4e5f",
            schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, IdempotencyKeys.MaxLength, "^[!-~]+$")),
        [HeaderNames.IfMatch] = new("Entity tags of which the present one must be one, or * (RFC 9110).", "\"3f0c9a5b7d1e4f62a8b0c1d2\""),
        [HeaderNames.IfNoneMatch] = new("Entity tags of which the present one must not be one, or * (RFC 9110).", "\"3f0c9a5b7d1e4f62a8b0c1d2\""),
        [FeedEndpoints.LastEventId] = new("The id of the last event that was read; it counts before cursor.", "eyJsIjoibGVkZ2VyIn0"),
    };

    public void DescribeHeaders() => document.Components!.Headers = Headers.ToDictionary(header => header.Key, IOpenApiHeader (header) =>
        new OpenApiHeader { Description = header.Value.Description, Required = !Optional.Contains(header.Key), Schema = Text(header.Value) });

    public void Describe(ApiDescription call, OpenApiOperation operation)
    {
        var metadata = call.ActionDescriptor.EndpointMetadata;
        var (method, body) = (call.HttpMethod!, call.ParameterDescriptions.FirstOrDefault(parameter => parameter.Source == BindingSource.Body)?.Type);
        var isOpen = metadata.OfType<IAllowAnonymous>().Any();
        var isFeed = call.SupportedResponseTypes.Any(answer => answer.ApiResponseFormats.Any(format => format.MediaType == FeedEndpoints.ContentType));
        var isTagged = !isOpen && !isFeed && (method is "GET" || metadata.OfType<Tags.Compares>().Any());
        var tellsTag = isTagged || metadata.OfType<Tags.Tells>().Any();

        operation.OperationId = IdOf(method, call.RelativePath!);
        var who = isOpen ? "Needs no key." : WhoMay(metadata.OfType<Needs>().Single().Access);
        operation.Description = $"{Glossary.Notes.GetValueOrDefault(operation.OperationId)} {who}".TrimStart();
        operation.Security = isOpen ? [] : [new() { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
        if (body is not null) operation.RequestBody = BodyOf(body, method);

        operation.Parameters ??= [];
        var meaning = metadata.OfType<Parameters.Meaning>().SingleOrDefault()?.Of;
        foreach (var parameter in operation.Parameters.OfType<OpenApiParameter>()) Describe(parameter, meaning);
        if (method is "POST" or "PATCH") Take(operation, IdempotencyKeys.Header);
        if (isTagged) Take(operation, HeaderNames.IfMatch);
        if (isTagged) Take(operation, HeaderNames.IfNoneMatch);
        if (isFeed) Take(operation, FeedEndpoints.LastEventId);

        var hasParameters = operation.Parameters.Any(parameter => parameter.In != ParameterLocation.Header);
        var hasFilters = operation.Parameters.Any(parameter => parameter is { In: ParameterLocation.Query, Name: [.., 'I', 'd'] });
        var codes = metadata.OfType<OpenApi.Refusals>().SelectMany(refusals => refusals.Codes)
            .Concat(hasParameters ? [RefusalCode.InvalidField] : [])
            .Concat(hasFilters ? [RefusalCode.NotFound] : [])
            .Concat(isTagged ? [RefusalCode.PreconditionFailed] : [])
            .Concat(method is "POST" or "PATCH" ? [RefusalCode.IdempotencyKeyReused] : [])
            .Select(Problems.Code)
            .Concat(isOpen ? [Problems.Malformed, Problems.Forbidden, Problems.Unavailable, Problems.Internal] : Common)
            .Concat(metadata.OfType<OpenApi.Gone>().Select(gone => gone.Code))
            .Concat(body is null ? [] : OfBodies)
            .Distinct();

        operation.Responses = [];
        foreach (var answer in call.SupportedResponseTypes) operation.Responses[$"{answer.StatusCode}"] = AnswerOf(answer, method, isOpen, tellsTag, isFeed);
        if (isTagged && method is "GET") operation.Responses["304"] = NotModified(isOpen);
        foreach (var refusals in codes.GroupBy(code => Problems.Meaning(code).Status).OrderBy(refusals => refusals.Key))
            operation.Responses[$"{refusals.Key}"] = Shared.Contains(refusals.Key) ? ShareOf(refusals.Key) : ProblemOf(refusals);
    }

    // The schema of a parameter; all but these are ids, which are texts.
    private static Type TypeOf(string parameter, string? meaning) => parameter switch
    {
        "from" or "to" when meaning == Parameters.Meaning.Days => typeof(LocalDate),
        "status" when meaning == Parameters.Meaning.Milestones => typeof(string),
        "allocated" or "full" => typeof(bool),
        "createdFrom" or "createdTo" or "expiresFrom" or "expiresTo" => typeof(Instant),
        "limit" or "count" => typeof(int),
        "from" or "to" or "at" => typeof(Instant),
        "status" => typeof(CreditStatus),
        "state" => typeof(ContractState),
        "type" => typeof(ContractType),
        "kind" => typeof(EntryKind),
        "order" => typeof(Order),
        "groupBy" => typeof(UsageBy),
        _ => typeof(string),
    };

    private void Describe(OpenApiParameter parameter, string? meaning)
    {
        var name = parameter.Name!;
        var type = TypeOf(name, meaning);
        var schema = (OpenApiSchema)schemas.Of(type);
        var word = Glossary.Find(meaning, name);
        if (name is "groupBy" || type == typeof(CreditStatus))
        {
            // One or more, with commas between them.
            schema = new OpenApiSchema { Type = JsonSchemaType.Array, Items = schema, MinItems = 1, UniqueItems = true };
            (parameter.Style, parameter.Explode) = (ParameterStyle.Form, false);
        }
        OpenApiSchemas.Tell(schema, word);
        if (name is "limit" or "count")
        {
            (schema.Minimum, schema.Maximum) = ("1", $"{Parameters.MaxLimit}");
            schema.Default = name == "limit" ? Parameters.DefaultLimit : Parameters.DefaultCount;
        }
        if (name is "order") schema.Default = BodyFaults.Name(Order.Asc);
        schema.Description = null;
        (parameter.Schema, parameter.Description) = (schema, word?.Description);
    }

    private void Take(OpenApiOperation operation, string header) => operation.Parameters!.Add(new OpenApiParameter
    {
        Name = header,
        In = ParameterLocation.Header,
        Description = TakenHeaders[header].Description,
        Schema = Text(TakenHeaders[header]),
    });

    private static OpenApiSchema Text(Word word)
    {
        var schema = new OpenApiSchema { Type = JsonSchemaType.String };
        OpenApiSchemas.Tell(schema, word);
        schema.Description = null;
        return schema;
    }

    private OpenApiRequestBody BodyOf(Type body, string method)
    {
        var isPatch = body is { IsGenericType: true } && body.GetGenericTypeDefinition() == typeof(MergePatch<>);
        return new()
        {
            Required = !Bodies.NeedsNone(method, body),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = isPatch ? schemas.OfPatch(body.GenericTypeArguments[0]) : schemas.Of(body) },
            },
        };
    }

    private OpenApiResponse AnswerOf(ApiResponseType answer, string method, bool isOpen, bool tellsTag, bool isFeed)
    {
        var response = new OpenApiResponse { Description = ReasonPhrases.GetReasonPhrase(answer.StatusCode), Headers = HeadersOf(isOpen) };
        if (answer.StatusCode is 201) Give(response, HeaderNames.Location);
        if (answer.StatusCode is 200 && method is "POST" or "PATCH") Give(response, IdempotencyKeys.Replayed);
        if (tellsTag && answer.StatusCode is 200 or 201) Give(response, HeaderNames.ETag);
        if (answer.Type is not { } type || type == typeof(void)) return response;

        if (method is "GET" && type.IsAssignableTo(typeof(IListing))) Give(response, HeaderNames.Link);
        response.Content = new Dictionary<string, OpenApiMediaType>
        {
            [isFeed ? FeedEndpoints.ContentType : "application/json"] = new() { Schema = isFeed ? Events(type) : schemas.Of(type) },
        };
        if (method is "GET" && !isFeed && Csv.Takes(type))
        {
            var csv = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The same as CSV (RFC 4180); of several pages, without an ETag." };
            response.Content[Csv.MediaType] = new() { Schema = csv };
        }
        return response;
    }

    // What an event carries is not what the stream is.
    private OpenApiSchema Events(Type data)
    {
        schemas.Of(data);
        return new()
        {
            Type = JsonSchemaType.String,
            Description = $"Server-sent events: each has an id to come back with, the event entry, and as its data the JSON of a {data.Name}. "
                + "Lines that begin with a colon say that there is nothing new.",
        };
    }

    private OpenApiResponse NotModified(bool isOpen)
    {
        var response = new OpenApiResponse { Description = "If-None-Match names the present version.", Headers = HeadersOf(isOpen) };
        Give(response, HeaderNames.ETag);
        return response;
    }

    private OpenApiResponseReference ShareOf(int status)
    {
        var name = ReasonPhrases.GetReasonPhrase(status).Replace(" ", "", StringComparison.Ordinal);
        var responses = document.Components!.Responses ??= new Dictionary<string, IOpenApiResponse>();
        if (!responses.ContainsKey(name)) responses[name] = ProblemOf(Problems.Codes.Where(code => Problems.Meaning(code).Status == status), status);
        return new(name, document);
    }

    private OpenApiResponse ProblemOf(IGrouping<int, string> codes) => ProblemOf(codes, codes.Key);

    private OpenApiResponse ProblemOf(IEnumerable<string> codes, int status)
    {
        var response = new OpenApiResponse
        {
            Description = string.Join("; ", codes.Select(code => $"{code}: {Problems.Meaning(code).Title}")),
            Headers = HeadersOf(isOpen: false),
            Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new() { Schema = schemas.Of(typeof(Problem)) } },
        };
        if (status is 429 or 503) Give(response, HeaderNames.RetryAfter);
        if (status is 401) Give(response, HeaderNames.WWWAuthenticate);
        return response;
    }

    private Dictionary<string, IOpenApiHeader> HeadersOf(bool isOpen) =>
        ((string[])(isOpen ? [Conventions.RequestId] : [Conventions.RequestId, "RateLimit", "RateLimit-Policy"]))
            .ToDictionary(name => name, IOpenApiHeader (name) => new OpenApiHeaderReference(name, document));

    private void Give(OpenApiResponse response, string header) => response.Headers![header] = new OpenApiHeaderReference(header, document);

    private static string WhoMay(Access access)
    {
        var roles = Enum.GetValues<Role>().Where(role => new Caller("", role).May(access)).Select(role => BodyFaults.Name(role));
        var isForUsers = access != Access.Read;
        return $"May be called with a key of these roles: {string.Join(", ", roles)}{(isForUsers ? "" : "; not of one user")}.";
    }

    // POST /v1/contracts/{contractId}/lots is postContractLots: a segment before an id is of one.
    private static string IdOf(string method, string path)
    {
        var segments = path.Trim('/').Split('/').Where(segment => segment != "v1").Append("").ToList();
        var names = segments.Zip(segments.Skip(1), (segment, next) => segment.StartsWith('{') ? ""
            : next.StartsWith('{') ? Words(segment).TrimEnd('s')
            : Words(segment));
        return method.ToLowerInvariant() + string.Concat(names);

        static string Words(string segment) => string.Concat(segment.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }
}
