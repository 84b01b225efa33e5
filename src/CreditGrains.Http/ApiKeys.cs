using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

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

    /// <summary>Changing users, what they may use (A12), and what milestones hold: managers.</summary>
    Manage,

    /// <summary>Everything else: operators.</summary>
    Operate,
}

/// <summary>Who calls: the key's name, and the client and user that it is bound to; null: any.</summary>
internal sealed record Caller(string Name, Role Role, string? ClientId = null, string? UserId = null)
{
    public bool May(Access access) => access switch
    {
        Access.Any => true,
        Access.Read => UserId is null,
        Access.Report => Role is Role.Consumer or Role.Operator,
        Access.Manage => Role is Role.Manager or Role.Operator,
        _ => Role is Role.Operator,
    };

    /// <summary>Whether what belongs to that client is there for this caller.</summary>
    public bool Sees(string clientId) => ClientId is null || ClientId == clientId;

    /// <summary>Whether what belongs to that user is there for this caller.</summary>
    public bool IsFor(string userId) => UserId is null || UserId == userId;

    public static ValueTask<Caller?> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.Get<Caller>());
}

/// <summary>The API keys, by the SHA-256 of their text: a key itself is kept nowhere.</summary>
internal sealed class ApiKeys
{
    /// <summary>No keys: only loopback is served.</summary>
    public static readonly ApiKeys None = new([]);

    private static readonly Caller Local = new("local", Role.Operator);
    private readonly FrozenDictionary<string, Caller> callers;

    private ApiKeys(IReadOnlyCollection<KeyLine> lines) =>
        callers = lines.ToFrozenDictionary(line => line.Sha256!, line => new Caller(line.Name!, line.Role!.Value, line.ClientId, line.UserId), StringComparer.OrdinalIgnoreCase);

    private sealed record KeysFile(KeyLine[]? Keys);

    private sealed record KeyLine(string? Name, Role? Role, string? ClientId, string? UserId, string? Sha256);

    public bool AreNone => callers.Count == 0;

    /// <summary>Reads <c>{"keys":[{name, role, clientId?, userId?, sha256}]}</c>; throws <see cref="InvalidDataException"/> where it is anything else.</summary>
    public static ApiKeys Read(string file)
    {
        try
        {
            var lines = Json.Read<KeysFile>(File.ReadAllText(file)).Keys ?? [];
            return Fault(lines) is { } fault ? throw new InvalidDataException($"The API keys in {file} cannot be used: {fault}.") : new(lines);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidDataException($"The API keys in {file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Lets a request in with its caller, or says why not.</summary>
    public Problem? Admit(HttpContext context)
    {
        if (AreNone && !IsLocal(context)) return Problems.Of(Problems.Forbidden, "Without configured API keys only loopback is served.");

        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<IAllowAnonymous>() is not null) return null;
        if ((AreNone ? Local : Find(context.Request.Headers.Authorization.ToString())) is not { } caller) return Problems.Of(Problems.Unauthenticated, "Authorization: Bearer needs a key that is known here.");

        context.Features.Set(caller);
        return metadata?.GetMetadata<Needs>() is { Access: var access } && !caller.May(access)
            ? Problems.Of(Problems.Forbidden, $"A {caller.Role.ToString().ToLowerInvariant()} key{(caller.UserId is null ? "" : " of one user")} may not do this.")
            : null;
    }

    // What is compared is the hash, so the time that it takes tells nothing of the key.
    private Caller? Find(string authorization) => authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
        ? callers.GetValueOrDefault(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(authorization["Bearer ".Length..].Trim()))))
        : null;

    // The Host, too: a web page elsewhere may have its own name resolved to this machine.
    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
        && (context.Request.Host.Host == "localhost" || (IPAddress.TryParse(context.Request.Host.Host, out var host) && IPAddress.IsLoopback(host)));

    private static string? Fault(KeyLine[] lines) =>
        lines.Length == 0 ? "there are none"
        : lines.Select(Fault).FirstOrDefault(fault => fault is not null)
            ?? (lines.DistinctBy(line => line.Name).Count() < lines.Length ? "two have the same name" : null)
            ?? (lines.DistinctBy(line => line.Sha256!.ToLowerInvariant()).Count() < lines.Length ? "two have the same sha256" : null);

    private static string? Fault(KeyLine? line) => line switch
    {
        null => "one is null",
        { Name: null or "" } => "one has no name",
        { Name: Entry.System } => $"{Entry.System} is no name for a key",
        { Role: null } => $"{line.Name} has no role",
        { Role: Role.Consumer or Role.Manager, ClientId: null } => $"{line.Name} needs a clientId",
        { Role: Role.Operator, ClientId: not null } => $"{line.Name} is an operator, who has no clientId",
        { Role: not Role.Consumer, UserId: not null } => $"{line.Name} is no consumer and has no userId",
        { ClientId: { } client } when !Ids.IsValid(client) => $"the clientId of {line.Name} is no id",
        { UserId: { } user } when !Ids.IsValid(user) => $"the userId of {line.Name} is no id",
        { Sha256: not { Length: 64 } } => $"{line.Name} needs a sha256 of 64 hexadecimal digits",
        _ when !line.Sha256.All(char.IsAsciiHexDigit) => $"{line.Name} needs a sha256 of 64 hexadecimal digits",
        _ => null,
    };
}

/// <summary>A call's need, as metadata of its endpoint.</summary>
internal sealed record Needs(Access Access);

internal static class NeedsOfEndpoints
{
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, Access access) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Needs(access));
}
