using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Actors;

/// <summary>What is kept beside an actor's state so that a request that comes again is known: previews of allocations, and requests by their key. Each is a document.</summary>
public static class Remembered
{
    public const string Request = "request", Preview = "preview";

    /// <summary>How long a preview, and the key of a single call, is kept (A7).</summary>
    public static readonly Duration Kept = Duration.FromHours(24);

    /// <summary>The documents of these changes.</summary>
    internal static IEnumerable<DocumentWrite> Of(Changes changes, Instant now) => changes.Requests
        .Select(request => new DocumentWrite(Request, $"{request.ClientId}/{request.Key}", 0, Json.Write(request), request.ClientId, now, request.ForgetAt))
        .Concat(changes.Previews.Select(preview => new DocumentWrite(
            Preview, preview.Token, preview.Answer is null ? 0 : 1, Json.Write(preview), preview.ClientId, now, preview.At + Kept)));
}
