using CreditGrains.Bench;

if (args is ["function", var url, var postgres])
{
    await FunctionFront.Run(url, postgres);
    return;
}

var seconds = args is [var given, ..] ? double.Parse(given, System.Globalization.CultureInfo.InvariantCulture) : 8;
var contracts = args is [_, var number] ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) : 10_000;
Load[] loads =
[
    new("one hot contract, 1 new player", 1, 1, 64),
    new("one hot contract, 46 new players", 1, 46, 64),
    new($"{contracts:N0} contracts, 1 new player", contracts, 1, 64),
    new($"{contracts:N0} contracts, 46 new players", contracts, 46, 64),
    new("one hot contract, 46 covered players", 1, 46, 64, Covered: true),
];
Func<Task<RunningSystem>>[] systems =
[
    () => RunningSystem.Function(contracts),
    () => RunningSystem.Embedded(contracts),
    () => RunningSystem.Cluster(1, contracts),
    () => RunningSystem.Cluster(3, contracts),
];

Console.WriteLine("| load, 64 callers | system | reports/s | p50 ms | p99 ms | ratio to the function |");
Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: |");
var limits = new Dictionary<Load, double>();
foreach (var start in systems)
{
    await using var system = await start();
    foreach (var load in loads)
    {
        var measured = await load.Run(system.Urls, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds));
        var limit = limits.TryGetValue(load, out var of) ? of : limits[load] = measured.PerSecond;
        Console.WriteLine(FormattableString.Invariant($"| {load.Name} | {system.Name} | {measured.PerSecond:N0} | {measured.Median:N1} | {measured.P99:N1} | {measured.PerSecond / limit:N2} |{(measured.Failed > 0 ? $" {measured.Failed} FAILED" : "")}"));
    }
}
