using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Receives spans and metrics by OTLP, protobuf over HTTP, as far as tests ask for them.</summary>
internal sealed class Collector : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentQueue<(string Trace, string Name)> spans = new();
    private readonly ConcurrentDictionary<string, bool> metrics = new();

    public Collector()
    {
        Url = $"http://127.0.0.1:{Child.FreePort()}";
        listener.Prefixes.Add($"{Url}/");
        listener.Start();
        _ = Serve();
    }

    public string Url { get; }

    /// <summary>The names of a trace's spans, once it has spans whose names begin with each of these.</summary>
    public async Task<IReadOnlyList<string>> Trace(params string[] names)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tries = 0; tries < 300; tries++)
        {
            var whole = spans.GroupBy(span => span.Trace, span => span.Name)
                .FirstOrDefault(trace => names.All(name => trace.Any(span => span.StartsWith(name, StringComparison.Ordinal))));
            if (whole is not null) return [.. whole];
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        throw new InvalidOperationException($"no trace with {string.Join(", ", names)}: {string.Join("; ", spans.GroupBy(span => span.Trace).Select(trace => string.Join(", ", trace.Select(span => span.Name))))}");
    }

    /// <summary>The names of all metrics, once that one is among them.</summary>
    public async Task<IReadOnlyCollection<string>> Metrics(string name)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tries = 0; tries < 300 && !metrics.ContainsKey(name); tries++) await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        return [.. metrics.Keys];
    }

    public void Dispose() => listener.Close();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var call = await listener.GetContextAsync();
                using var body = new MemoryStream();
                await call.Request.InputStream.CopyToAsync(body);

                // Resource (1), then its scopes (2), then its spans or metrics (2).
                foreach (var item in Fields(body.ToArray(), 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)))
                {
                    if (call.Request.RawUrl == "/v1/traces") spans.Enqueue((Convert.ToHexString(Fields(item, 1).Single()), Encoding.UTF8.GetString(Fields(item, 5).Single())));
                    else metrics[Encoding.UTF8.GetString(Fields(item, 1).Single())] = true;
                }
                call.Response.ContentType = "application/x-protobuf";
                call.Response.Close();
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or HttpListenerException)
        {
            // The test is over.
        }
    }

    // The fields of that number that have a length; all others are passed over.
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        for (var at = 0; at < message.Length;)
        {
            var key = Number(message, ref at);
            switch (key & 7)
            {
                case 0:
                    Number(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    var length = (int)Number(message, ref at);
                    if ((int)(key >> 3) == number) found.Add(message[at..(at + length)]);
                    at += length;
                    break;
            }
        }
        return found;
    }

    private static ulong Number(byte[] message, ref int at)
    {
        var (number, shift) = (0UL, 0);
        while (true)
        {
            var part = message[at++];
            number |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80) return number;
            shift += 7;
        }
    }
}
