namespace CreditGrains.Cli;

/// <summary>What came of the reports replayed, in reports and credits.</summary>
internal sealed class Tally
{
    private readonly Lock turn = new();
    private readonly SortedDictionary<string, int> refusals = new(StringComparer.Ordinal);

    public int Reports { get; private set; }

    /// <summary>Credits charged by reports that are new to the service.</summary>
    public long Charged { get; private set; }

    /// <summary>Players who cost nothing in those reports.</summary>
    public long Covered { get; private set; }

    /// <summary>Reports that the service had answered before.</summary>
    public int Replayed { get; private set; }

    public int Refused => refusals.Values.Sum();

    public IReadOnlyDictionary<string, int> Refusals => refusals;

    public void Add(Answer answer)
    {
        lock (turn)
        {
            Reports++;
            if (answer.IsRefusal)
            {
                refusals[answer.Code] = refusals.GetValueOrDefault(answer.Code) + 1;
            }
            else if (answer.Status == System.Net.HttpStatusCode.OK)
            {
                Replayed++;
            }
            else
            {
                Charged += answer.Number("charged");
                Covered += answer.Number("covered");
            }
        }
    }
}

/// <summary>Posts reports: those of one instant side by side, and with <paramref name="MoveClock"/> one instant after another, the test clock moved to each. A report that was posted before is safe to post again.</summary>
internal sealed record Replay(Service Service, string ContractId, string UserId, int Concurrency, bool MoveClock)
{
    public async Task Run(IReadOnlyList<ReportLine> reports, Tally tally, Action reported, CancellationToken stop)
    {
        if (!MoveClock)
        {
            await Post(reports, tally, reported, stop);
            return;
        }

        // A replay that is taken up again finds the clock ahead of its first reports; it moves forward only.
        var now = await Clock(stop);
        foreach (var instant in InstantsOf(reports))
        {
            if (instant[0].At > now) Service.Expect(await Service.Send(HttpMethod.Post, "v1/clock", new { advanceTo = ReportFile.Text(instant[0].At) }, stop));
            await Post(instant, tally, reported, stop);
        }
    }

    private async Task<DateTimeOffset> Clock(CancellationToken stop)
    {
        var clock = await Service.Get("v1/clock", stop);
        if (clock.Status == System.Net.HttpStatusCode.NotFound) throw new ServiceException("The service has no test clock to move; start it with --test-clock.");
        return DateTimeOffset.Parse(Service.Expect(clock).Text("now")!, System.Globalization.CultureInfo.InvariantCulture);
    }

    private Task Post(IReadOnlyList<ReportLine> reports, Tally tally, Action reported, CancellationToken stop) =>
        Parallel.ForEachAsync(reports, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = stop }, async (report, gone) =>
        {
            tally.Add(await Service.Send(HttpMethod.Post, "v1/reports", new { report.ReportId, ContractId, UserId, report.Players }, gone));
            reported();
        });

    private static IEnumerable<List<ReportLine>> InstantsOf(IReadOnlyList<ReportLine> reports)
    {
        for (var first = 0; first < reports.Count;)
        {
            var instant = reports.Skip(first).TakeWhile(report => report.At == reports[first].At).ToList();
            yield return instant;
            first += instant.Count;
        }
    }
}
