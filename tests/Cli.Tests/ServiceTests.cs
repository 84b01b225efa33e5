using System.Net.Http.Headers;
using Xunit;

namespace CreditGrains.Cli.Tests;

public sealed class ServiceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_connection_and_overload_are_tried_again_no_sooner_than_RetryAfter_says()
    {
        var attempts = 0;
        var fake = new FakeService((_, _) => ++attempts switch
        {
            1 => throw new HttpRequestException("connection refused"),
            2 => Busy(429, 2),
            3 => Busy(503, 0),
            _ => FakeService.Json(201, """{"charged":1}"""),
        });
        using var service = fake.Open();
        var answer = await service.Send(HttpMethod.Post, "v1/reports", new { reportId = "R1" }, Stop);
        Assert.Equal(1, answer.Number("charged"));
        Assert.Equal([100, 2000, 400], fake.Pauses.Select(pause => pause.TotalMilliseconds));
        Assert.Single(fake.Asked.Distinct());
    }

    [Fact]
    public async Task After_ten_attempts_it_is_enough()
    {
        var attempts = 0;
        var fake = new FakeService((_, _) => ++attempts == 1 ? FakeService.Json(200, "{}") : throw new HttpRequestException("connection refused"));
        using var service = fake.Open();
        await service.Get("v1/clock", Stop);
        var fault = await Assert.ThrowsAsync<ServiceException>(() => service.Get("v1/clock", Stop));
        Assert.Contains("connection refused", fault.Message, StringComparison.Ordinal);
        Assert.Equal(11, fake.Asked.Count);
        Assert.All(fake.Pauses, pause => Assert.InRange(pause.TotalSeconds, 0.1, 30));
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_given_up_within_5_seconds()
    {
        var fake = new FakeService((_, _) => throw new HttpRequestException("connection refused"));
        using var service = fake.Open();
        await Assert.ThrowsAsync<ServiceException>(() => service.Get("v1/clock", Stop));
        Assert.InRange(fake.Pauses.Sum(pause => pause.TotalSeconds), 1, 5);

        // One that answers is there, however busy it is.
        var busy = new FakeService((_, _) => Busy(503, 0));
        using var overloaded = busy.Open();
        await Assert.ThrowsAsync<ServiceException>(() => overloaded.Get("v1/clock", Stop));
        Assert.Equal(10, busy.Asked.Count);
    }

    [Fact]
    public async Task A_refusal_is_an_answer_and_not_tried_again()
    {
        var fake = new FakeService((_, _) => FakeService.Json(402, """{"code":"insufficient-contract-credits","detail":"too few"}"""));
        using var service = fake.Open();
        var answer = await service.Send(HttpMethod.Post, "v1/reports", null, Stop);
        Assert.Equal((true, "insufficient-contract-credits"), (answer.IsRefusal, answer.Code));
        Assert.Single(fake.Asked);
    }

    [Fact]
    public async Task All_pages_of_a_list_are_read()
    {
        var fake = new FakeService((asked, _) => asked.EndsWith("cursor=a%2Fb", StringComparison.Ordinal)
            ? FakeService.Json(200, """{"items":[3],"nextCursor":null}""")
            : FakeService.Json(200, """{"items":[1,2],"nextCursor":"a/b"}"""));
        using var service = fake.Open();
        Assert.Equal([1, 2, 3], (await service.List("v1/contracts?clientId=acme", Stop)).Select(item => (int)item));
        Assert.Equal("GET /v1/contracts?clientId=acme&limit=1000&cursor=a%2Fb", fake.Asked[1]);
    }

    private static HttpResponseMessage Busy(int status, int seconds)
    {
        var response = FakeService.Json(status, "{}");
        response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        return response;
    }
}
