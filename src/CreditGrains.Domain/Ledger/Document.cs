using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The kinds of documents.</summary>
public static class DocumentKind
{
    public const string Contract = "contract", Account = "account", Settings = "settings";

    /// <summary>Requests by their Idempotency-Key, and previews of allocations (A7).</summary>
    public const string Request = "request", Preview = "preview";
}

/// <summary>A document as it now is.</summary>
/// <param name="Kind">One of <see cref="DocumentKind"/>.</param>
/// <param name="Version">Its new version.</param>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
/// <param name="Body">JSON; null: unchanged.</param>
/// <param name="Owner">The client under which it is listed.</param>
/// <param name="AsOf">The instant of its grain's last decision.</param>
/// <param name="DueAt">When time will next change it, or it may be deleted; null: never.</param>
public sealed record DocumentChange(string Kind, string Id, long Version, long Expected, string? Body, string Owner, Instant AsOf, Instant? DueAt) : Change
{
    public RowKey Row => RowKey.Document(Kind, Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>
/// Raises a document's epoch and changes nothing else, so that no commit sent under an earlier epoch can still land (R3).
/// The version of a contract's or account's document is its epoch: commits are fenced by it and do not change it.
/// </summary>
/// <param name="Epoch">The new epoch.</param>
/// <param name="Expected">The epoch it must have before, at least 1.</param>
public sealed record EpochChange(string Kind, string Id, long Epoch, long Expected) : Change
{
    public RowKey Row => RowKey.Document(Kind, Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>A request's Idempotency-Key, hashed with whose it is, and the fingerprint of the request.</summary>
public sealed record RequestKey(string Key, string Fingerprint);

/// <summary>A request that is remembered by its Idempotency-Key (§3).</summary>
/// <param name="ClientId">Whose documents the request changed.</param>
/// <param name="Key">Hashed; unique among all clients.</param>
/// <param name="Fingerprint">Equal for equal requests.</param>
/// <param name="Made">The id of what it made, or its answer.</param>
public sealed record KeyedRequest(string ClientId, string Key, string Fingerprint, string Made)
{
    /// <summary>When it may be deleted; null: it is kept for ever.</summary>
    [JsonIgnore]
    public Instant? ForgetAt { get; init; }
}

/// <summary>Documents kept beside a grain's state so that a repeated request is recognised: requests by their key, and previews (A7).</summary>
public static class Remembered
{
    /// <summary>How long a preview, its confirmation and the key of a single call are kept (A7).</summary>
    public static readonly Duration Kept = Duration.FromHours(24);

    /// <summary>The refusal of a key that was used for another request.</summary>
    public static Refusal KeyReused => new(RefusalCode.IdempotencyKeyReused, "The Idempotency-Key was used for another request; use a new key.");

    public static DocumentChange Keep(KeyedRequest request, Instant now) =>
        new(DocumentKind.Request, request.Key, 1, 0, Json.Write(request), request.ClientId, now, request.ForgetAt);

    /// <summary>What a request is remembered by; null key: it is not.</summary>
    /// <param name="made">The id of what it made, or its answer.</param>
    public static Changes Keep(string clientId, RequestKey? key, Func<string> made, Instant now, Instant? forgetAt = null) =>
        key is null ? Changes.None : [Keep(new KeyedRequest(clientId, key.Key, key.Fingerprint, made()) { ForgetAt = forgetAt }, now)];

    /// <summary>A preview as it is made (version 1), or as it is confirmed (version 2).</summary>
    public static DocumentChange Keep(Preview preview, Instant now)
    {
        var (version, since) = preview.Answer is null ? (1, preview.At) : (2, now);
        return new(DocumentKind.Preview, preview.Token, version, version - 1, Json.Write(preview), preview.ClientId, now, since + Kept);
    }
}
