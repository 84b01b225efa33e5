using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What documents are of.</summary>
public static class DocumentKind
{
    public const string Contract = "contract", Account = "account", Settings = "settings";

    /// <summary>Requests by their key, and previews of allocations.</summary>
    public const string Request = "request", Preview = "preview";
}

/// <summary>A document's new version.</summary>
/// <param name="Kind">One of <see cref="DocumentKind"/>.</param>
/// <param name="Version">Its version from now on.</param>
/// <param name="Expected">The version that it must have had; 0: it must not have been there.</param>
/// <param name="Body">JSON; null: it stays as it is.</param>
/// <param name="Owner">What it is listed under: a contract's client.</param>
/// <param name="AsOf">The last instant at which its grain decided.</param>
/// <param name="DueAt">When time will next change it by itself, or it can be forgotten; null: never.</param>
public sealed record DocumentChange(string Kind, string Id, long Version, long Expected, string? Body, string Owner, Instant AsOf, Instant? DueAt) : Change
{
    public RowKey Row => RowKey.Document(Kind, Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>
/// A document's epoch rises and nothing else of it changes: whatever was sent under an earlier one can no longer land (R3).
/// Contracts and accounts keep their epoch as their version; their commits are fenced by it and leave it as it is.
/// </summary>
/// <param name="Epoch">From now on.</param>
/// <param name="Expected">The epoch that it must have had, more than 0.</param>
public sealed record EpochChange(string Kind, string Id, long Epoch, long Expected) : Change
{
    public RowKey Row => RowKey.Document(Kind, Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>An Idempotency-Key, hashed, and what the request asked.</summary>
public sealed record RequestKey(string Key, string Fingerprint);

/// <summary>A request remembered by its Idempotency-Key: what it asked, and what it made (§3).</summary>
/// <param name="Key">1 to 200 characters, hashed.</param>
/// <param name="Made">An id, or the answer.</param>
public sealed record KeyedRequest(string ClientId, string Key, string Fingerprint, string Made)
{
    /// <summary>When nobody can ask for it any more; null: it is kept for ever.</summary>
    [JsonIgnore]
    public Instant? ForgetAt { get; init; }
}

/// <summary>What is kept beside a grain's state so that a request that comes again is known: previews of allocations, and requests by their key.</summary>
public static class Remembered
{
    /// <summary>How long a preview, its confirmation, and the key of a single call are kept (A7).</summary>
    public static readonly Duration Kept = Duration.FromHours(24);

    /// <summary>The answer to a key that came with another request before.</summary>
    public static Refusal KeyReused => new(RefusalCode.IdempotencyKeyReused, "The Idempotency-Key was used for another request; use a new key.");

    public static string RequestId(string clientId, string key) => $"{clientId}/{key}";

    public static DocumentChange Keep(KeyedRequest request, Instant now) =>
        new(DocumentKind.Request, RequestId(request.ClientId, request.Key), 1, 0, Json.Write(request), request.ClientId, now, request.ForgetAt);

    /// <summary>A preview as it is made (version 1), or confirmed (version 2).</summary>
    public static DocumentChange Keep(Preview preview, Instant now)
    {
        var version = preview.Answer is null ? 1 : 2;
        return new(DocumentKind.Preview, preview.Token, version, version - 1, Json.Write(preview), preview.ClientId, now, (preview.Answer is null ? preview.At : now) + Kept);
    }
}
