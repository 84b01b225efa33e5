namespace CreditGrains.Simulation;

/// <summary>A few worlds of each climate, as a planted bug has to face them.</summary>
internal static class Trial
{
    /// <summary>The check that failed first and the reports sent until then; null where all held.</summary>
    public static (string Check, int Reports)? Run(int rounds)
    {
        var reports = 0;
        try
        {
            for (var seed = 1UL; seed <= (ulong)rounds; seed++)
            {
                Simulation.Run(seed, 800, Climate.Stormy, sent => reports += sent);
                Simulation.Run(seed, 150, Climate.Quiet, sent => reports += sent);
                Simulation.Run(seed, 150, Climate.Garbled, sent => reports += sent);
                Simulation.Run(seed, 150, Climate.Crowded, sent => reports += sent);
                Simulation.Run(seed, 150, Climate.Rationed, sent => reports += sent);
                Simulation.Run(seed, 300, Climate.Doubled, sent => reports += sent);
            }
            return null;
        }
        catch (Broken broken)
        {
            return (broken.Check, reports);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ($"an auditor stumbled: {e.GetType().Name}", reports);
        }
    }
}
