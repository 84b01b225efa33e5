using System.Net;
using System.Text;

namespace CreditGrains.Cli.Tests;

/// <summary>Stands in for the service: answers by a function and remembers what was asked and how long the caller paused.</summary>
internal sealed class FakeService(Func<string, string, HttpResponseMessage> answer) : HttpMessageHandler
{
    private readonly Lock turn = new();

    public List<string> Asked { get; } = [];

    public List<TimeSpan> Pauses { get; } = [];

    public Service Open() => new(new("http://service"), "cg_key", this, (pause, _) =>
    {
        Pauses.Add(pause);
        return Task.CompletedTask;
    });

    public static HttpResponseMessage Json(int status, string body) =>
        new((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var asked = $"{request.Method} {request.RequestUri!.PathAndQuery}";
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (turn)
        {
            Asked.Add($"{asked} {body}".TrimEnd());
            return answer(asked, body);
        }
    }
}
