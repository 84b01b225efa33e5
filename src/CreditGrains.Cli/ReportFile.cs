using System.Globalization;
using System.Text.Json;

namespace CreditGrains.Cli;

/// <summary>A player as a line names one.</summary>
internal sealed record Player(string? PlayerId, string? Name);

/// <summary>A report to be replayed, and the line that it came from.</summary>
internal sealed record ReportLine(int Line, string ReportId, DateTimeOffset At, IReadOnlyList<Player> Players);

/// <summary>Reports as NDJSON: <c>{"reportId", "at", "players":[{"playerId", "name"}]}</c> a line; other members and empty lines are passed over.</summary>
internal static class ReportFile
{
    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private sealed record Document(string? ReportId, string? At, Player?[]? Players);

    /// <summary>Reads all of it; <paramref name="inTimeOrder"/>: refuses what goes back in time.</summary>
    public static IReadOnlyList<ReportLine> Read(string file, bool inTimeOrder)
    {
        var reports = new List<ReportLine>();
        foreach (var (text, line) in Lines(file).Select((text, i) => (text, i + 1)).Where(line => !string.IsNullOrWhiteSpace(line.text)))
        {
            var report = Parse(text, line);
            if (inTimeOrder && reports.Count > 0 && report.At < reports[^1].At) throw Fault(line, $"at {Text(report.At)} goes back in time, behind {Text(reports[^1].At)}");
            reports.Add(report);
        }
        return reports.Count > 0 ? reports : throw new InputException($"{file} holds no reports.");
    }

    /// <summary>An instant as the service reads it.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString(Instant, CultureInfo.InvariantCulture);

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(e.Message);
        }
    }

    private static ReportLine Parse(string text, int line)
    {
        try
        {
            var document = JsonSerializer.Deserialize<Document>(text, Json);
            if (document?.ReportId is not { Length: > 0 } id) throw Fault(line, "a report has a reportId");
            if (!DateTimeOffset.TryParseExact(document.At, Instant, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) throw Fault(line, "a report has an ISO-8601 instant at");
            if (document.Players is not { Length: > 0 } players || players.Any(player => player?.PlayerId is null)) throw Fault(line, "a report has players, each with a playerId");
            return new(line, id, at, players!);
        }
        catch (JsonException e)
        {
            throw Fault(line, $"this is not a report in JSON: {e.Message}");
        }
    }

    private static InputException Fault(int line, string why) => new($"Line {line}: {why}.");
}
