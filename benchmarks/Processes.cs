using System.Globalization;

namespace CreditGrains.Bench;

/// <summary>What processes used, as Linux tells it in /proc.</summary>
internal static class Processes
{
    // What /proc counts in, on every architecture that .NET runs on.
    private const int TicksPerSecond = 100;

    // In /proc/PID/stat behind the name, which ends with the last parenthesis.
    private const int ParentField = 1;
    private const int FirstTimeField = 11;
    private const int TimeFields = 4;

    private sealed record Process(int Id, int Parent, long Ticks);

    /// <summary>Processor time of these processes and all that they started, ended ones included.</summary>
    public static TimeSpan Used(IReadOnlyCollection<int> roots)
    {
        var ids = Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => int.TryParse(name, out _));
        var all = ids.Select(Stat).OfType<Process>().ToList();
        var children = all.ToLookup(process => process.Parent, process => process.Id);
        var ticks = all.ToDictionary(process => process.Id, process => process.Ticks);
        return TimeSpan.FromSeconds(roots.Sum(Ticks) / (double)TicksPerSecond);

        long Ticks(int id) => ticks.GetValueOrDefault(id) + children[id].Sum(Ticks);
    }

    /// <summary>Bytes in memory.</summary>
    public static long Resident(int id) => 1024 * Value($"/proc/{id}/status", "VmRSS:");

    /// <summary>Bytes that the process had the storage write.</summary>
    public static long Written(int id) => Value($"/proc/{id}/io", "write_bytes:");

    private static Process? Stat(string id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new((int)Number(id), (int)Number(fields[ParentField]), fields.Skip(FirstTimeField).Take(TimeFields).Sum(Number));
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return null;
        }
    }

    // Lines are such as "VmRSS:    1024 kB".
    private static long Value(string file, string name)
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return Number(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
