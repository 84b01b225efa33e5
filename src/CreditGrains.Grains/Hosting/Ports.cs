using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace CreditGrains.Grains.Hosting;

/// <summary>The addresses and ports of a server, looked at before it starts: what cannot be had is named with its option.</summary>
public static class Ports
{
    /// <summary>Throws <see cref="InvalidDataException"/> with a sentence that names the option, its value and the cure.</summary>
    /// <param name="isSilo">Whether it has ports for silos and fronts.</param>
    public static void Check(ServerOptions options, bool isSilo)
    {
        if (options.MetricsPort > 0) Check("metrics", options.MetricsAddress, options.MetricsPort);
        if (!isSilo) return;
        Check("silo", options.Advertise, options.SiloPort, "advertise");
        if (options.GatewayPort > 0) Check("gateway", options.Advertise, options.GatewayPort, "advertise");
    }

    /// <summary>An address at which other machines reach this one: IPv4 where there is one. null: it has none but loopback.</summary>
    public static IPAddress? OfThisMachine() => Named().Concat(Interfaces()).Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal)
        .OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork).FirstOrDefault();

    private static void Check(string port, IPAddress address, int number, string addressOption = "metrics-address")
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, number));
            socket.Listen();
        }
        catch (SocketException e)
        {
            throw new InvalidDataException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"--{port}-port {number} on {address} is in use by another process; choose another port.",
                SocketError.AddressNotAvailable => $"--{addressOption} {address} must be an address of this machine; auto finds one.",
                SocketError.AccessDenied => $"--{port}-port {number} may not be used by this user; choose one from 1024 on.",
                _ => $"--{port}-port {number} on {address} cannot be used: {e.Message}.",
            }, e);
        }
    }

    private static IPAddress[] Named()
    {
        try
        {
            return Dns.GetHostAddresses(Dns.GetHostName());
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static IEnumerable<IPAddress> Interfaces() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(found => found.OperationalStatus == OperationalStatus.Up)
        .SelectMany(found => found.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address);
}
