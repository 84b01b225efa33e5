namespace CreditGrains.Bench;

/// <summary>One run: starts the systems, checks them, and lets them take turns under each load.</summary>
internal static class Run
{
    public static async Task<IReadOnlyList<Figures>> All(Options options, CancellationToken stop)
    {
        var systems = options.Chosen(SystemUnderTest.All(options.Silo));
        var loads = options.Loads();
        var running = new List<(SystemUnderTest System, Measuring Measuring)>();
        try
        {
            // One after another: silos that start together on few processors take each other for dead.
            foreach (var system in systems)
            {
                stop.ThrowIfCancellationRequested();
                Say($"Starting and checking {system.Name} ...");
                running.Add((system, await Start(system, [.. loads.Where(load => options.Measures(system, load))], options.Pace, stop)));
            }

            var all = new List<Figures>();
            foreach (var load in loads)
                all.AddRange(await Measure(load, [.. running.Where(one => options.Measures(one.System, load)).Select(one => one.Measuring)], options.Pace));
            return all;
        }
        finally
        {
            foreach (var (_, measuring) in running) await measuring.DisposeAsync();
        }
    }

    private static async Task<Measuring> Start(SystemUnderTest system, IReadOnlyCollection<Load> loads, Pace pace, CancellationToken stop)
    {
        var running = await system.Start(Contracts.For(loads));
        try
        {
            await Checks.Pass(system, running.Client);
            return new(running, pace, stop);
        }
        catch (Exception)
        {
            await running.DisposeAsync();
            throw;
        }
    }

    private static async Task<IReadOnlyList<Figures>> Measure(Load load, IReadOnlyList<Measuring> systems, Pace pace)
    {
        var warmUps = new Dictionary<Measuring, WarmUp>();
        foreach (var system in systems)
        {
            Say($"{load.Name}: warming up {system.System.Name} ...");
            warmUps[system] = await system.WarmUp(load);
        }

        var rounds = systems.ToDictionary(system => system, _ => new List<Round>());
        for (var round = 0; round < pace.Rounds; round++)
            foreach (var system in systems)
                rounds[system].Add(await system.Measure(load));

        var limits = rounds.FirstOrDefault(one => one.Key.System.Name == SystemUnderTest.Limit).Value;
        var figures = new List<Figures>();
        foreach (var system in systems)
        {
            var measured = rounds[system];
            figures.Add(Figures.Of(system.System.Name, load, measured, limits, await system.Written(measured[^1]), system.Resident(), warmUps[system]));
        }
        return figures;
    }

    private static void Say(string text) => Console.Error.WriteLine(text);
}
