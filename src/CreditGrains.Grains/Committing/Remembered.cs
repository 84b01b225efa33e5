using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>What is kept beside an actor's state so that a request that comes again is known: previews of allocations, and requests by their key. Each is a document.</summary>
public static class Remembered
{
    public const string Request = "request", Preview = "preview";

    /// <summary>How long a preview, its confirmation, and the key of a single call are kept (A7).</summary>
    public static readonly Duration Kept = Duration.FromHours(24);

    /// <summary>What a request's key that came with another request is answered.</summary>
    internal static Refusal KeyReused => new(RefusalCode.IdempotencyKeyReused, "The Idempotency-Key stands for another request.");

    /// <summary>What is kept under a request's key; null: nothing is.</summary>
    internal static async Task<KeyedRequest?> Recall(IStore store, string clientId, RequestKey key) =>
        await store.Document(Request, $"{clientId}/{key.Key}") is { } document ? Json.Read<KeyedRequest>(document.Body) : null;

    /// <summary>The documents of these changes.</summary>
    internal static IEnumerable<DocumentWrite> Of(Changes changes, Instant now) => changes.Requests
        .Select(request => new DocumentWrite(Request, $"{request.ClientId}/{request.Key}", 0, Json.Write(request), request.ClientId, now, request.ForgetAt))
        .Concat(changes.Previews.Select(preview => new DocumentWrite(
            Preview, preview.Token, preview.Answer is null ? 0 : 1, Json.Write(preview), preview.ClientId, now, (preview.Answer is null ? preview.At : now) + Kept)));
}
