namespace CreditGrains.Acceptance;

/// <summary>
/// What two contracts of one client should say after any days of reports, holds, captures, voids and freeing by hand, worked out from lists of single
/// credits, one event after another. It shares nothing with the product but the rules.
/// </summary>
internal sealed class UndoOracle(DateTimeOffset start)
{
    public const int Daily = 4, Extra = 6, CoverageDays = 2;

    private static readonly string[] Users = ["U1", "U2"];

    private readonly List<One> credits = [];
    private readonly Dictionary<string, Made> reports = [];
    private readonly Dictionary<string, Standing> standings = Users.ToDictionary(user => user, _ => new Standing());

    private DateTimeOffset now = start;

    private enum State { Free, Allocated, Expired }

    private sealed class One
    {
        public required string Contract, Lot;
        public required int Ordinal;
        public required DateTimeOffset LotEnds;
        public State State;
        public string? Player, User, Report;
        public DateTimeOffset Until;
        public DateTimeOffset? HeldUntil;
        public string? Right;

        public bool Covers(DateTimeOffset at) => State == State.Allocated && Until > at && !(HeldUntil <= at);
    }

    private sealed class Standing
    {
        public int Used, UsedInCycle, ExtraUsed;
    }

    private sealed record Made(string Contract, List<string> Charged, DateTimeOffset? HoldUntil)
    {
        public List<string>? Captured { get; set; }

        public List<string> LeftOut { get; set; } = [];

        public List<string> Back { get; } = [];
    }

    public void Grant(string contract, string lot, int quantity, DateTimeOffset ends) => credits.AddRange(Enumerable.Range(1, quantity)
        .Select(ordinal => new One { Contract = contract, Lot = lot, Ordinal = ordinal, LotEnds = ends }));

    /// <summary>Everything that happens until then happens, each at its own instant; what expires, before what returns.</summary>
    public void MoveTo(DateTimeOffset to)
    {
        while (Next(to) is { } at)
        {
            now = at;
            foreach (var credit in credits)
            {
                if (credit.State == State.Free && credit.LotEnds <= now) credit.State = State.Expired;
                if (credit.State == State.Allocated && credit.Until <= now && !(credit.HeldUntil <= now && credit.HeldUntil < credit.Until)) credit.State = State.Expired;
            }
            if (now.TimeOfDay == TimeSpan.Zero)
                foreach (var standing in standings.Values) standing.UsedInCycle = 0;
            foreach (var credit in credits.Where(credit => credit.State == State.Allocated && credit.HeldUntil <= now).ToList())
            {
                reports[credit.Report!].Back.Add(credit.Player!);
                GiveBack(credit);
            }
        }
        now = to;
    }

    /// <summary>The players who are charged, in order; or the code of the refusal.</summary>
    public string Report(string id, string contract, string user, IReadOnlyList<string> players, int? hold)
    {
        var uncovered = players.Where(player => !credits.Exists(credit => credit.Player == player && credit.Covers(now))).ToList();
        var isRestricted = contract == "rationed";
        var standing = standings[user];
        if (isRestricted && uncovered.Count > Daily - standing.UsedInCycle + Extra - standing.ExtraUsed) return "insufficient-allocation";
        var free = credits.Where(credit => credit.Contract == contract && credit.State == State.Free)
            .OrderBy(credit => credit.LotEnds).ThenBy(credit => credit.Lot, StringComparer.Ordinal).ThenBy(credit => credit.Ordinal).ToList();
        if (uncovered.Count > free.Count) return "insufficient-contract-credits";

        DateTimeOffset? until = hold is { } seconds ? now.AddSeconds(seconds) : null;
        foreach (var (player, credit) in uncovered.Zip(free))
        {
            (credit.State, credit.Player, credit.User, credit.Report, credit.Until) = (State.Allocated, player, user, id, now.AddDays(CoverageDays));
            credit.HeldUntil = until < credit.Until ? until : null;
            if (!isRestricted) continue;
            standing.Used++;
            if (standing.UsedInCycle < Daily) (standing.UsedInCycle, credit.Right) = (standing.UsedInCycle + 1, $"{now:yyyy-MM-dd}");
            else (standing.ExtraUsed, credit.Right) = (standing.ExtraUsed + 1, "extra");
        }
        reports[id] = new(contract, uncovered, until);
        return string.Join(' ', uncovered);
    }

    /// <summary>The named players whose credits have gone back, sorted; or the code of the refusal.</summary>
    public string Void(string id, IReadOnlyCollection<string> named)
    {
        var report = reports[id];
        if (report.HoldUntil <= now && report.Captured is null) return "hold-over";
        Return(id, report, player => named.Contains(player));
        return Sorted(report.Back.Where(named.Contains));
    }

    /// <summary>The players who stay charged, sorted; or the code of the refusal.</summary>
    public string Capture(string id, IReadOnlyCollection<string> named)
    {
        var report = reports[id];
        if (report.HoldUntil is null) return "invalid-field";
        if (report.Captured is { } captured) return captured.TrueForAll(named.Contains) && !report.LeftOut.Exists(named.Contains) ? Sorted(captured) : "hold-over";
        if (report.HoldUntil <= now) return "hold-over";
        var before = report.Back.Count;
        Return(id, report, player => !named.Contains(player));
        report.LeftOut = report.Back[before..];
        var kept = credits.Where(credit => credit.Report == id && credit.Covers(now)).ToList();
        foreach (var credit in kept) credit.HeldUntil = null;
        report.Captured = [.. kept.Select(credit => credit.Player!)];
        return Sorted(report.Captured);
    }

    /// <summary>The credit that covers a player; null: none.</summary>
    public string? Credit(string player) =>
        credits.Find(credit => credit.Player == player && credit.Covers(now)) is { } one ? $"{one.Contract}~{one.Lot}~{one.Ordinal:D9}" : null;

    public void Free(string player) => GiveBack(credits.Single(credit => credit.Player == player && credit.Covers(now)));

    /// <summary>Unallocated, allocated, expired.</summary>
    public string Balance(string contract) => string.Join(' ', Enum.GetValues<State>().Select(state => credits.Count(credit => credit.Contract == contract && credit.State == state)));

    /// <summary>Used of the cycle, of extra credits, in all.</summary>
    public string Used(string user) => $"{standings[user].UsedInCycle} {standings[user].ExtraUsed} {standings[user].Used}";

    public string Voided(string id) => Sorted(reports[id].Back);

    private void Return(string id, Made report, Func<string, bool> isNamed)
    {
        foreach (var credit in credits.Where(credit => credit.Report == id && credit.Covers(now) && isNamed(credit.Player!)).ToList())
        {
            report.Back.Add(credit.Player!);
            GiveBack(credit);
        }
    }

    private void GiveBack(One credit)
    {
        if (credit.Right is { } right)
        {
            var standing = standings[credit.User!];
            standing.Used--;
            if (right == "extra") standing.ExtraUsed--;
            if (right == $"{now:yyyy-MM-dd}") standing.UsedInCycle--;
        }
        credit.State = credit.LotEnds <= now ? State.Expired : State.Free;
        (credit.Player, credit.User, credit.Report, credit.Right, credit.HeldUntil) = (null, null, null, null, null);
    }

    private DateTimeOffset? Next(DateTimeOffset to)
    {
        var ends = credits.SelectMany(credit => credit.State switch
        {
            State.Free => [credit.LotEnds],
            State.Allocated => [credit.Until, credit.HeldUntil ?? credit.Until],
            State.Expired => (DateTimeOffset[])[],
        });
        var next = ends.Append(new DateTimeOffset(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero)).Where(at => at > now).Min();
        return next <= to ? next : null;
    }

    private static string Sorted(IEnumerable<string> players) => string.Join(' ', players.Order(StringComparer.Ordinal));
}
