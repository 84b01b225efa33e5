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

    /// <summary>Processor time of these processes and all that they started, ended ones included.</summary>
    public static TimeSpan Used(IReadOnlyCollection<int> roots)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => Stat(name!)).OfType<(int Id, string[] Fields)>().ToList();
        var children = all.ToLookup(process => Number(process.Fields[ParentField]), process => process.Id);
        var fields = all.ToDictionary(process => process.Id, process => process.Fields);
        return TimeSpan.FromSeconds(roots.Sum(Ticks) / (double)TicksPerSecond);

        long Ticks(int id) => fields.GetValueOrDefault(id)?.Skip(FirstTimeField).Take(TimeFields).Sum(Number) + children[id].Sum(Ticks) ?? 0;
    }

    /// <summary>Bytes in memory.</summary>
    public static long Resident(int id) => 1024 * Value($"/proc/{id}/status", "VmRSS:");

    /// <summary>Bytes that the process had the storage write.</summary>
    public static long Written(int id) => Value($"/proc/{id}/io", "write_bytes:");

    private static (int Id, string[] Fields)? Stat(string id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return ((int)Number(id), text[(text.LastIndexOf(')') + 2)..].Split(' '));
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return null;
        }
    }

    private static long Value(string file, string name) =>
        Number(File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
