using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>The test clock (T4); without one the calls are not there.</summary>
internal static class ClockEndpoints
{
    public static void MapClock(this IEndpointRouteBuilder v1, IServiceProvider services)
    {
        if (services.GetRequiredService<IBusinessClock>() is not IMovableClock clock) return;

        v1.MapGet("/clock", () => TypedResults.Ok(new ClockDocument(clock.Now))).Needs(Access.Any)
            .Answers<ClockDocument>("The test clock", 200).Refuses(RefusalCode.NotFound);
        v1.MapPost("/clock", (ClockBody body, HttpRequest request, CancellationToken gone) => Advance(clock, body, request, gone)).Needs(Access.Operate)
            .Answers<ClockDocument>("Moves the test clock forward and answers when all that fell due has been processed", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.IdempotencyKeyReused);
    }

    private static async Task<IResult> Advance(IMovableClock clock, ClockBody body, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;

        return Replies.Of(await clock.Advance(body.AdvanceTo!.Value, key).WaitAsync(gone), now => new ClockDocument(now));
    }
}

internal sealed record ClockDocument(Instant Now);

internal sealed record ClockBody(Instant? AdvanceTo) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Given("advanceTo", AdvanceTo)
        ?? (Calendar.IsInstant(AdvanceTo!.Value) ? null : Refusal.Invalid("advanceTo", Calendar.InstantRange));
}
