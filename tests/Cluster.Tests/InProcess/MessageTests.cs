using System.Net.Sockets;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Npgsql;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;

namespace CreditGrains.Cluster.Tests.InProcess;

/// <summary>How messages travel between silos.</summary>
public sealed class MessageTests : IDisposable
{
    private static readonly Instant At = Instant.FromUtc(2026, 3, 31, 12, 0, 1) + Duration.FromTicks(10);

    private readonly ServiceProvider services = new ServiceCollection().AddCreditGrainsMessages().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [Fact]
    public void Everything_that_grains_are_told_and_answer_can_travel()
    {
        var codecs = services.GetRequiredService<ICodecProvider>();
        var grains = typeof(IContractGrain).Assembly.GetTypes().Where(type => type.IsInterface && typeof(IGrain).IsAssignableFrom(type));
        var methods = grains.SelectMany(grain => grain.GetMethods()).ToList();
        var results = methods.Select(method => method.ReturnType).Where(type => type.IsConstructedGenericType).Select(task => task.GetGenericArguments()[0]);
        var types = methods.SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType).Concat(results).Distinct().ToList();
        Assert.True(types.Count > 30, $"{types.Count} types");
        Assert.All(types, type => Assert.NotNull(codecs.TryGetCodec(type)));
    }

    [Fact]
    public void A_report_and_each_answer_to_it_arrive_as_they_were_sent()
    {
        var report = new ChargeReport(new("acme", "R"), "C", "U", [new("P1", "Ada Finch"), new("P2", null)], "local", DryRun: true);
        Same(report);
        Same(report with { Players = [], DryRun = false, Key = new("key", "fingerprint") });

        var made = new Report("R", "acme", "C", "U", At, 1, 1,
            [new("P1", PlayerCharge.New, "C~L~000000001", At), new("P2", PlayerCharge.Covered, "C~M~000000001", null), new("P3", PlayerCharge.New, null, null)],
            new(0, 7));
        var refusal = new Refusal(RefusalCode.InsufficientAllocation, "Too few.", Amounts: new(2, 1, null, At, null));
        Same<ReportAnswer>(new ReportAnswer.First(made));
        Same<ReportAnswer>(new ReportAnswer.Replayed(made with { Balance = new(null, null), Players = [] }));
        Same<ReportAnswer>(new ReportAnswer.Rehearsed(made, null));
        Same<ReportAnswer>(new ReportAnswer.Rehearsed(made, refusal));
        Same<ReportAnswer>(new ReportAnswer.Refused(refusal));
        var faulty = new Refusal(RefusalCode.InvalidField, "a must be b.", "a", Services: new("EUR", 1.5m, 0)) { Faults = [new("a", "must be b.", ["b"])] };
        Same<ReportAnswer>(new ReportAnswer.Refused(faulty));
    }

    [Fact]
    public void Players_arrive_as_they_were_sent() => Same<System.Collections.Immutable.ImmutableArray<Player>>(
        [new("acme", "P1", new("C", "L", 12), At, At, 3), new("acme", "P2", new("C", "L", 13), null, At, 1), Player.Unknown("acme", "P3")]);

    [Fact]
    public void Within_a_silo_a_report_is_not_copied()
    {
        var answer = new ReportAnswer.First(new("R", "acme", "C", "U", At, 0, 0, [], new(null, null)));
        Assert.Same(answer, services.GetRequiredService<DeepCopier>().Copy<ReportAnswer>(answer));
        var report = new ChargeReport(new("acme", "R"), "C", "U", [], "local", DryRun: false);
        Assert.Same(report, services.GetRequiredService<DeepCopier>().Copy(report));
        var player = Player.Unknown("acme", "P");
        Assert.Same(player, services.GetRequiredService<DeepCopier>().Copy(player));
    }

    [Fact]
    public void A_failure_arrives_as_what_it_is_whatever_driver_caused_it()
    {
        var serializer = services.GetRequiredService<Serializer>();
        var sent = new StoreUnavailableException("PostgreSQL is away.", new NpgsqlException("no connection", new SocketException(111)));
        var arrived = Assert.IsType<StoreUnavailableException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(sent)));
        Assert.Equal(sent.Message, arrived.Message);
        Assert.Contains("NpgsqlException: ", arrived.Message);
        Assert.Null(arrived.InnerException);
    }

    private void Same<T>(T sent)
    {
        var serializer = services.GetRequiredService<Serializer>();
        var arrived = serializer.Deserialize<T>(serializer.SerializeToArray(sent));
        Assert.Equal(sent!.GetType(), arrived!.GetType());
        Assert.Equal(Json.Write<object>(sent), Json.Write<object>(arrived));
    }
}
