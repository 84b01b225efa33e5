using CreditGrains.Cluster;
using CreditGrains.Silo;

try
{
    var options = MemberOptions.Read(args);
    await using var app = await SiloHost.Build(options);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is InvalidDataException or InvalidOperationException or Npgsql.NpgsqlException or TimeoutException or Orleans.Runtime.OrleansException)
{
    await Console.Error.WriteLineAsync($"The silo did not start: {e.Message}");
    return 2;
}
