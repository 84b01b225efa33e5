using System.Net;

namespace CreditGrains.Cluster.Tests;

/// <summary>Where a silo of a cluster listens: whoever reaches its own port may do everything, without a key.</summary>
public sealed class ListeningTests
{
    [Fact]
    public async Task A_silo_that_is_advertised_on_loopback_listens_nowhere_else()
    {
        await using var cluster = await RunningCluster.Start(silos: 1);
        var addresses = Listening(cluster.Silos[0].ProcessId);
        Assert.Equal(3, addresses.Count);
        Assert.All(addresses, address => Assert.Equal(IPAddress.Loopback, address));
    }

    // Linux: lines of /proc/PID/net/tcp with the state LISTEN (0A), whose socket the process has open.
    private static List<IPAddress> Listening(int process)
    {
        var open = Directory.GetFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget).ToHashSet();
        return [.. new[] { "tcp", "tcp6" }.SelectMany(kind => File.ReadLines($"/proc/{process}/net/{kind}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(socket => socket[3] == "0A" && open.Contains($"socket:[{socket[9]}]"))
            .Select(socket => new IPAddress(Convert.FromHexString(socket[1].Split(':')[0]) is { Length: 4 } four ? [.. four.Reverse()] : Convert.FromHexString(socket[1].Split(':')[0])))];
    }
}
