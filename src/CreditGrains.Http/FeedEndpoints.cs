using System.Runtime.CompilerServices;
using System.Text;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace CreditGrains.Http;

/// <summary>The ledger as it grows (G4), as server-sent events. Readers are not counted among the requests that are worked on; they have a bound of their own.</summary>
internal static class FeedEndpoints
{
    /// <summary>The media type of server-sent events.</summary>
    public const string ContentType = "text/event-stream";

    /// <summary>The header by which a reader that comes back says how far it has come.</summary>
    public const string LastEventId = "Last-Event-ID";

    public static void MapFeed(this IEndpointRouteBuilder v1) => v1.MapGet("/ledger/feed", Get).Needs(Access.Read).DisableRateLimiting()
        .WithSummary("Ledger entries as they are booked, behind the cursor or Last-Event-ID; else from the first that is not archived on")
        .Produces<LedgerEntry>(StatusCodes.Status200OK, ContentType).MayBeGone(Problems.CursorGone);

    private static async Task<IResult> Get(
        string? clientId, string? contractId, string? cursor, Caller caller, Clients clients, IQueries queries, Feed feed, Admission admission, IHostApplicationLifetime lifetime, HttpRequest request)
    {
        // A browser that connects again repeats the address, and says in the header how far it has come since.
        var last = request.Headers[LastEventId].ToString();
        var start = await queries.FeedStart();
        var after = FeedPlace.Read(last.Length > 0 ? last : cursor) ?? start;
        after.RefuseGone(start);

        // A contract is looked for among the entries of its client.
        var client = caller.ClientId ?? clientId ?? (contractId is null ? null : await clients.Of(contractId, caller));
        if (admission.EnterFeed(caller) is { } refused) return refused;
        return new Events(feed, new(client, contractId), after, () => admission.LeaveFeed(caller), lifetime.ApplicationStopping);
    }

    private sealed class Events(Feed feed, FeedFilter filter, FeedPlace after, Action leave, CancellationToken stopping) : IResult
    {
        private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

        private static readonly byte[] Beat = ": nothing new\n\n"u8.ToArray(), Hello = ": the feed follows\nretry: 1000\n\n"u8.ToArray();

        // Written once, however many read it.
        private static readonly ConditionalWeakTable<FedEntry, byte[]> Frames = [];

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping);
            try
            {
                var response = httpContext.Response;
                response.ContentType = ContentType;
                response.Headers["X-Accel-Buffering"] = "no";
                if (httpContext.IsHead()) return;
                httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
                await response.Body.WriteAsync(Hello, ended.Token);
                await response.Body.FlushAsync(ended.Token);
                await foreach (var entry in feed.Read(filter, after, Heartbeat, ended.Token))
                    await response.Body.WriteAsync(entry is null ? Beat : Frames.GetValue(entry, Frame), ended.Token);
            }
            catch (Exception e) when (ended.IsCancellationRequested || e is StoreUnavailableException or CursorGoneException)
            {
                // The stream just ends: the reader comes back with what it has seen last.
            }
            finally
            {
                leave();
            }
        }

        private static byte[] Frame(FedEntry entry) => Encoding.UTF8.GetBytes($"id: {entry.Place.AsCursor()}\nevent: entry\ndata: {Json.Write(LedgerEntry.Of(entry.Booked))}\n\n");
    }
}
