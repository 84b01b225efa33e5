using System.Net;
using System.Net.Sockets;
using CreditGrains.Editions;

namespace CreditGrains.Pages.Tests;

/// <summary>One address before several silos, as a load balancer is: each connection goes to the first of them that takes it.</summary>
internal sealed class Door : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly Uri[] silos;
    private readonly CancellationTokenSource closed = new();
    private readonly Task open;
    private int losesAnswer;

    public Door(params string[] silos)
    {
        this.silos = [.. silos.Select(silo => new Uri(silo))];
        var port = Child.FreePort();
        Url = $"http://127.0.0.1:{port}";
        listener = new(IPAddress.Loopback, port);
        listener.Start();
        open = Serve();
    }

    public string Url { get; }

    /// <summary>The next answer does not come through: its connection ends instead.</summary>
    public void LoseNextAnswer() => Volatile.Write(ref losesAnswer, 1);

    public async ValueTask DisposeAsync()
    {
        await closed.CancelAsync();
        await open;
        listener.Dispose();
        closed.Dispose();
    }

    private async Task Serve()
    {
        var passing = new List<Task>();
        try
        {
            while (true) passing.Add(Pass(await listener.AcceptTcpClientAsync(closed.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(passing);
        }
    }

    private async Task Pass(TcpClient browser)
    {
        using (browser)
        {
            foreach (var silo in silos)
            {
                using var connection = new TcpClient();
                try
                {
                    await connection.ConnectAsync(silo.Host, silo.Port, closed.Token);
                }
                catch (SocketException)
                {
                    // It is dead; the next one.
                    continue;
                }
                var (one, other) = (browser.GetStream(), connection.GetStream());
                await Task.WhenAny(Pump(one, other, areAnswers: false), Pump(other, one, areAnswers: true));
                return;
            }
        }
    }

    private async Task Pump(NetworkStream from, NetworkStream to, bool areAnswers)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, closed.Token) is > 0 and var read)
            {
                if (areAnswers && Interlocked.Exchange(ref losesAnswer, 0) == 1) return;
                await to.WriteAsync(buffer.AsMemory(0, read), closed.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The other end is gone.
        }
    }
}
