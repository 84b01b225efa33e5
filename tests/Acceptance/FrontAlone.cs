using System.Reflection;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Domain;
using CreditGrains.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace CreditGrains.Acceptance;

/// <summary>What the front does when the engine behind it is slow, away or broken: no edition can be made to be so at will.</summary>
public sealed class FrontAlone : IAsyncDisposable
{
    private readonly TaskCompletionSource<object?> held = new();
    private readonly TaskCompletionSource reached = new();
    private WebApplication? app;
    private Api? api;

    [Fact]
    public async Task Under_overload_it_answers_429_but_for_health()
    {
        await Serve(() => held.Task);
        var first = api!.Get("/v1/contracts/C1");
        await reached.Task;

        var refused = (await api.Get("/v1/contracts/C1")).Is(429, "overloaded");
        Assert.Equal("1", refused.Headers.RetryAfter!.ToString());
        (await api.Get("/health/live")).Is(200);

        held.SetResult(null);
        (await first).Is(404, "not-found");
    }

    [Fact]
    public async Task Who_leaves_waits_no_longer_and_makes_room()
    {
        await Serve(() => held.Task);
        using (var leaving = new HttpClient { BaseAddress = new(app!.Urls.Single()) })
        {
            _ = Record.ExceptionAsync(() => leaving.GetAsync("/v1/contracts/C1", CancellationToken.None));
            await reached.Task;
        }

        // Its place is free although what it asked for still goes on.
        Assert.True(await Eventually.Is(async () => (await api!.Get("/v1/clock")).Status == 404));
        Assert.False(held.Task.IsCompleted);
    }

    [Fact]
    public async Task A_store_that_is_away_is_503_and_tells_nothing_of_itself()
    {
        await Serve(() => throw new StoreUnavailableException("the secret file /var/x is gone"));

        var answer = (await api!.Get("/v1/contracts/C1")).Is(503, "unavailable");
        Assert.DoesNotContain("secret", answer.Text);
        Assert.Equal("1", answer.Headers.RetryAfter!.ToString());
        (await api.Get("/health/ready")).Is(503, "unavailable");
        (await api.Get("/health/live")).Is(200);
    }

    [Fact]
    public async Task A_lost_answer_is_503()
    {
        await Serve(() => throw new TimeoutException("lost"));
        (await api!.Get("/v1/contracts/C1")).Is(503, "unavailable");
    }

    [Fact]
    public async Task A_broken_invariant_is_500_and_tells_nothing_of_itself()
    {
        await Serve(() => throw new InvariantException("the secret sum is wrong"));
        Assert.DoesNotContain("secret", (await api!.Get("/v1/contracts/C1")).Is(500, "internal-error").Text);
    }

    public async ValueTask DisposeAsync()
    {
        api?.Dispose();
        if (app is not null) await app.DisposeAsync();
    }

    // One request at a time, none waiting; every query is answered by that.
    private async Task Serve(Func<Task<object?>> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddCreditGrainsHttp(new HttpOptions { MaxConcurrentRequests = 1, MaxQueuedRequests = 0 });
        builder.Services.AddSingleton(Stub<IGrainFactory>.Answering((_, _) => null));
        builder.Services.AddSingleton(Stub<IBusinessClock>.Answering((_, _) => null));
        builder.Services.AddSingleton(Stub<IQueries>.Answering((method, _) =>
        {
            if (method.Name == nameof(IQueries.Look)) return Look(answer());
            reached.TrySetResult();
            return method.Name == nameof(IQueries.Contract) ? Contract(answer) : answer();
        }));
        app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapCreditGrains();
        await app.StartAsync();
        api = new(app.Urls.Single());
    }

    // Where the answer is no exception.
    private static Task<StoreView> Look(Task<object?> _) => Task.FromResult(StoreView.Of(isWritable: true));

    private static async Task<ContractDocument?> Contract(Func<Task<object?>> answer) => (ContractDocument?)await answer();
}

/// <summary>A port that answers every call by one function.</summary>
public class Stub<TPort> : DispatchProxy where TPort : class
{
    private Func<MethodInfo, object?[], object?> answer = null!;

    public static TPort Answering(Func<MethodInfo, object?[], object?> answer)
    {
        var port = Create<TPort, Stub<TPort>>();
        (port as Stub<TPort>)!.answer = answer;
        return port;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => answer(targetMethod!, args ?? []);
}
