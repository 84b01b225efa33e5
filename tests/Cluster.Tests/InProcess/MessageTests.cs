using System.Net.Sockets;
using CreditGrains.Grains;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;

namespace CreditGrains.Cluster.Tests.InProcess;

/// <summary>How messages travel between silos.</summary>
public sealed class MessageTests
{
    [Fact]
    public void A_failure_arrives_as_what_it_is_whatever_driver_caused_it()
    {
        using var services = new ServiceCollection().AddCreditGrainsMessages().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        var sent = new StoreUnavailableException("PostgreSQL is away.", new NpgsqlException("no connection", new SocketException(111)));
        var arrived = Assert.IsType<StoreUnavailableException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(sent)));
        Assert.Equal(sent.Message, arrived.Message);
        Assert.Contains("NpgsqlException: ", arrived.Message);
        Assert.Null(arrived.InnerException);
    }
}
