using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using NodaTime;

namespace CreditGrains.Http;

internal enum Role { Consumer, Manager, Auditor, Operator }

/// <summary>What a call needs its caller to be (§3, Keys).</summary>
internal enum Access
{
    /// <summary>Any caller; one bound to a user sees what is that user's only: reports, usage, allocations.</summary>
    Any,

    /// <summary>Reads of a client: any caller not bound to one user.</summary>
    Read,

    /// <summary>Making reports: consumers.</summary>
    Report,

    /// <summary>Voiding and capturing reports (R7, R8): consumers and managers.</summary>
    Undo,

    /// <summary>Changing users, what they may use (A12), and what milestones hold: managers.</summary>
    Manage,

    /// <summary>Everything else: operators.</summary>
    Operate,
}

/// <summary>Who calls: the key's name, and the client and user that it is bound to; null: any.</summary>
internal sealed record Caller(string Name, Role Role, string? ClientId = null, string? UserId = null)
{
    /// <summary>Who calls from this machine where no keys are configured.</summary>
    public static readonly Caller Local = new("local", Role.Operator);

    /// <summary>Who calls what needs no key.</summary>
    public static readonly Caller Nobody = new("", Role.Auditor);

    public bool May(Access access) => access switch
    {
        Access.Any => true,
        Access.Read => UserId is null,
        Access.Report => Role is Role.Consumer or Role.Operator,
        Access.Undo => Role is not Role.Auditor,
        Access.Manage => Role is Role.Manager or Role.Operator,
        Access.Operate => Role is Role.Operator,
    };

    /// <summary>Whether what belongs to that client is there for this caller.</summary>
    public bool Sees(string clientId) => ClientId is null || ClientId == clientId;

    /// <summary>Whether what belongs to that user is there for this caller.</summary>
    public bool IsFor(string userId) => UserId is null || UserId == userId;

    /// <summary>What is wrong with a role for that client and user; null: nothing.</summary>
    public string? Fault(string what, string client, string user) => this switch
    {
        { Role: Role.Consumer or Role.Manager, ClientId: null } => $"{what} needs a {client}",
        { Role: Role.Operator, ClientId: not null } => $"{what} is an operator, who has no {client}",
        { Role: not Role.Consumer, UserId: not null } => $"{what} is no consumer and has no {user}",
        { ClientId: { } id } when !Ids.IsValid(id) => $"the {client} of {what} is no id",
        { UserId: { } id } when !Ids.IsExternal(id) => $"the {user} of {what} is no id",
        _ => null,
    };

    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<Caller>());
}

/// <summary>The API keys of one reading of their file, by the SHA-256 of their text: a key itself is kept nowhere.</summary>
internal sealed class ApiKeys
{
    /// <summary>No keys: only loopback is served.</summary>
    public static readonly ApiKeys None = new([]);

    /// <summary>The longest name of a caller, in characters.</summary>
    public const int MaxName = 100;

    private readonly FrozenDictionary<string, Key> keys;

    private ApiKeys(IReadOnlyCollection<KeyLine> lines) => keys = lines.ToFrozenDictionary(
        line => line.Sha256!, line => new Key(line.Caller, line.ExpiresAt), StringComparer.OrdinalIgnoreCase);

    private sealed record Key(Caller Caller, Instant? ExpiresAt);

    private sealed record KeysFile(KeyLine[]? Keys);

    private sealed record KeyLine(string? Name, Role? Role, string? ClientId, string? UserId, string? Sha256, Instant? ExpiresAt)
    {
        public Caller Caller => new(Name!, Role!.Value, ClientId, UserId);

        /// <summary>What all keys of one name must have in common: while one replaces another there are two.</summary>
        public (Role?, string?, string?) Rights => (Role, ClientId, UserId);
    }

    public bool AreNone => keys.Count == 0;

    /// <summary>Reads <c>{"keys":[{name, role, clientId?, userId?, expiresAt?, sha256}]}</c>; throws <see cref="InvalidDataException"/> where it is anything else.</summary>
    public static ApiKeys Read(string file, string text)
    {
        try
        {
            var lines = Json.Read<KeysFile>(text).Keys ?? [];
            return Fault(lines) is { } fault ? throw new InvalidDataException($"The API keys in {file} cannot be used: {fault}.") : new(lines);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The API keys in {file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whose key it is; null: nobody's, or it has expired. What is compared is the hash, so the time that it takes tells nothing of the key.</summary>
    public Caller? Find(string key, Instant now) => FindHashed(Hash(key), now);

    /// <summary>Whose key has that hash; null: nobody's, or it has expired.</summary>
    public Caller? FindHashed(string sha256, Instant now) => keys.TryGetValue(sha256, out var found) && !(now >= found.ExpiresAt) ? found.Caller : null;

    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static string? Fault(KeyLine[] lines) =>
        lines.Length == 0 ? "there are none"
        : lines.Select(Fault).FirstOrDefault(fault => fault is not null)
            ?? lines.GroupBy(line => line.Name).Where(same => same.Select(line => line.Rights).Distinct().Count() > 1).Select(same => $"two of the name {same.Key} have different rights").FirstOrDefault()
            ?? (lines.DistinctBy(line => line.Sha256!.ToLowerInvariant()).Count() < lines.Length ? "two have the same sha256" : null);

    private static string? Fault(KeyLine? line) => line switch
    {
        null => "one is null",
        { Name: null or "" } => "one has no name",
        { Name.Length: > MaxName } => $"a name has more than {MaxName} characters",
        _ when line.Name.Any(char.IsControl) || line.Name.Trim() != line.Name => "a name has control characters, or blanks at an end",
        _ when line.Name == Entry.System || line.Name == Caller.Local.Name || line.Name.StartsWith(Tokens.Prefix, StringComparison.Ordinal) =>
            $"{line.Name} is no name for a key",
        { Role: null } => $"{line.Name} has no role",
        _ when line.Caller.Fault(line.Name, "clientId", "userId") is { } fault => fault,
        { Sha256: not { Length: 64 } } => $"{line.Name} needs a sha256 of 64 hexadecimal digits",
        _ when !line.Sha256.All(char.IsAsciiHexDigit) => $"{line.Name} needs a sha256 of 64 hexadecimal digits",
        _ => null,
    };
}

/// <summary>A call's need, as metadata of its endpoint.</summary>
internal sealed record Needs(Access Access);

public static class NeedsOfEndpoints
{
    /// <summary>Pages that are no calls of the API, for whoever may do everything.</summary>
    public static TBuilder ForOperators<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.Needs(Access.Operate);

    internal static TBuilder Needs<TBuilder>(this TBuilder endpoint, Access access) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Needs(access));
}
