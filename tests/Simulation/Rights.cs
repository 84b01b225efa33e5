using System.Runtime.CompilerServices;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor of what users may use (A2 to A9, A11): sees every commit, and recomputes cycles day by day and amounts from the entries.</summary>
internal sealed class Rights(World world, MemoryStore store, History history)
{
    private readonly Dictionary<AllocationKey, Account> accounts = [];
    private readonly Dictionary<string, Shown> previews = [];
    private readonly HashSet<string> confirmed = [];
    private readonly HashSet<string> granted = [];
    private readonly HashSet<AllocationKey> tookBack = [];

    private sealed class Account
    {
        public readonly Dictionary<string, long> Used = [];
        public int Restarts, Booked = -1;
        public long Granted;

        public long UsedOf(string right) => Used.GetValueOrDefault(right);
    }

    // A user's switch or name may change between the reading of a preview and its commit.
    private sealed record Shown(Preview Preview, List<Standing> Seen, HashSet<string> Directories);

    private sealed record Told(int Cycle, long UsedInCycle, int? Cycles, LocalDate? BeganOn);

    private sealed record ToldSettings(long? Amount, Renewal? Renewal, int? Frequency, RenewalDay? On, LocalDate? StartDate, long UsedInCycle);

    /// <summary>Checks what a commit will do against the state that it meets.</summary>
    public void Before(Commit commit)
    {
        CheckUses(commit);
        foreach (var entry in commit.Changes.Entries)
        {
            if (entry.Kind == EntryKind.CyclesBegun) CheckRenewal(entry);
            else if (entry is { Kind: EntryKind.AllocationSet, Cause: Causes.Assignment }) CheckReturn(entry);
            else if (entry.Kind == EntryKind.ExtraGranted) CheckExtra(entry);
            else if (entry is { Kind: EntryKind.CreditsCharged, UsedOf: { } right }) AccountOf(entry).Used[right] = AccountOf(entry).UsedOf(right) + entry.Quantity;
            else if (entry is { Kind: EntryKind.CreditsReturned, UsedOf: { } of }) AccountOf(entry).Used[of] = AccountOf(entry).UsedOf(of) - entry.Quantity;
        }
        foreach (var change in commit.Changes.Members) CheckMember(change, commit);
        foreach (var preview in commit.Changes.Previews())
        {
            if (preview.Answer is null) previews[preview.Token] = new(preview, [history.Standing(preview.ContractId, history.Moment)!], []);
            else CheckConfirm(preview, commit);
        }
    }

    /// <summary>Checks what all that a commit touched has become.</summary>
    public void After(Commit commit)
    {
        foreach (var preview in commit.Changes.Previews())
        {
            if (preview.Answer is null) previews[preview.Token].Seen.Add(history.Standing(preview.ContractId, history.Moment)!);
            else CheckConfirmed(preview, commit);
        }
        foreach (var change in commit.Changes.Members) CheckBalance(change);
    }

    /// <summary>Checks that no renewal that ends what was used is left to be booked (T3).</summary>
    public void AreBooked(Instant now)
    {
        foreach (var (key, member) in store.Members.Where(row => row.Member.Allocation.UsedInCycle > 0))
            Holds(member.Allocation.Cycle == Cycle(member.Allocation, TermsOf(key), now), "what fell due is booked (T3)", $"{key} at {now}: {member.Allocation}");
    }

    /// <summary>Whether extra credits of that user were ever taken back.</summary>
    public bool TookBack(AllocationKey key) => tookBack.Contains(key);

    /// <summary>Whether what was previewed has been done.</summary>
    public bool IsConfirmed(string token) => confirmed.Contains(token);

    /// <summary>A preview that was asked for at a moment has been answered.</summary>
    public void WasShown(string token, int from)
    {
        var shown = previews[token];
        shown.Directories.UnionWith(Enumerable.Range(from, history.Moment - from + 1).Select(moment => history.Standing(shown.Preview.ContractId, moment)?.Directory).OfType<string>());
    }

    /// <summary>Whether all that a preview rests on may be as it was when it was shown.</summary>
    public bool MayBeAsShown(string token, Standing standing, Instant now) => IsAsShown(previews[token], standing, now, Enumerable.Any);

    /// <summary>Whether any of it may have changed.</summary>
    public bool MayHaveChanged(string token, Standing standing, Instant now) => previews[token].Directories.Count > 1 || !IsAsShown(previews[token], standing, now, Enumerable.All);

    private bool IsAsShown(Shown shown, Standing standing, Instant now, Func<IEnumerable<Standing>, Func<Standing, bool>, bool> of) =>
        of(shown.Seen, seen => seen.Terms == standing.Terms && seen.Users == standing.Users) && shown.Directories.Contains(standing.Directory)
            && TermsOf(new(shown.Preview.ContractId, "")) is var terms && DayByDay.Date(now, terms) == DayByDay.Date(shown.Preview.At, terms);

    /// <summary>When a cycle of somebody begins, as far as there is something to see.</summary>
    public IEnumerable<Instant> Boundaries => store.Members.SelectMany(row => new[] { Start(row.Member.Allocation, TermsOf(row.Key), row.Member.Allocation.Cycle + 1), Start(row.Member.Allocation, TermsOf(row.Key), 0) }).OfType<Instant>();

    // A4, A8: within the amount, of the cycle that runs, extra credits last; nothing of it where the switch is off.
    private void CheckUses(Commit commit)
    {
        foreach (var charged in commit.Changes.Entries.Where(entry => entry is { Kind: EntryKind.CreditsCharged, UserId: not null }).GroupBy(entry => new AllocationKey(entry.ContractId!, entry.UserId!)))
        {
            var terms = TermsOf(charged.Key);
            var isRestricted = history.Read(charged.Key.ContractId, store)!.Plan is { Enabled: true };
            Holds(charged.All(entry => isRestricted == entry.UsedOf is not null), "the switch decides whether rules apply (A8)", $"{string.Join(' ', charged)}");

            // Who joins, or whose cycles start anew, in the same commit is left to the balance.
            if (commit.Changes.Entries.Any(entry => entry.Kind == EntryKind.AllocationSet && entry.UserId == charged.Key.UserId && entry.ContractId == charged.Key.ContractId)) continue;
            if (store.Member(charged.Key) is not { Allocation: var allocation }) continue;
            var account = AccountOf(charged.Key);
            var used = new Dictionary<string, long>();
            foreach (var uses in charged.Where(entry => entry.UsedOf is not null).GroupBy(entry => entry.EffectiveAt))
            {
                var cycle = Cycle(allocation, terms, uses.Key);
                var right = $"cycle:{allocation.Restarts}.{cycle}";
                var (ofCycle, ofExtra) = (Sum(uses, right), Sum(uses, Allocation.Extra));
                var left = allocation.Settings is null || cycle < 0 ? 0 : allocation.Settings.Amount - account.UsedOf(right) - used.GetValueOrDefault(right) + Back(right);
                Holds(uses.All(entry => entry.UsedOf == right || entry.UsedOf == Allocation.Extra), "a use belongs to the cycle that runs (A3, T3)", $"{charged.Key} at {uses.Key}: should be {right}, {allocation}: {string.Join(' ', uses)}");
                Holds(!(ofCycle > left), "a cycle gives no more than its amount (A4)", $"{charged.Key} at {uses.Key}: {ofCycle} of {left}, {allocation}");
                Holds(ofExtra == 0 || ofCycle == left, "extra credits are used last (A4)", $"{charged.Key} at {uses.Key}: {ofExtra}, and {ofCycle} of {left}, {allocation}");
                Holds(ofExtra <= account.Granted - account.UsedOf(Allocation.Extra) - used.GetValueOrDefault(Allocation.Extra) + Back(Allocation.Extra), "no more extra credits than there are (A5)", $"{charged.Key}: {ofExtra}, {allocation}");
                used[right] = used.GetValueOrDefault(right) + ofCycle;
                used[Allocation.Extra] = used.GetValueOrDefault(Allocation.Extra) + ofExtra;

                // What holds that have ended gave back in the same commit.
                long Back(string right) => commit.Changes.Entries.Where(entry => entry.Kind == EntryKind.CreditsReturned && entry.UsedOf == right && entry.EffectiveAt <= uses.Key
                    && entry.ContractId == charged.Key.ContractId && entry.UserId == charged.Key.UserId).Sum(entry => entry.Quantity);
            }
        }
        var reports = commit.Changes.Reports.Select(report => report.ReportId).ToHashSet();
        var credits = commit.Changes.Credits.Where(change => change.Expected == 0 && reports.Contains(change.Credit.ReportId!)).GroupBy(change => (change.Credit.ReportId, change.Credit.Id.LotId, change.Credit.UsedOf)).ToDictionary(group => group.Key, group => (long)group.Count());
        var entries = commit.Changes.Entries.Where(entry => entry is { Kind: EntryKind.CreditsCharged, UserId: not null }).GroupBy(entry => (entry.ReportId, LotId: entry.LotId!, entry.UsedOf)).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Quantity));
        Holds(credits.Count == entries.Count && credits.All(pair => entries.GetValueOrDefault(pair.Key) == pair.Value),
            "credits say what they were used of", $"{string.Join(' ', credits)}, entries {string.Join(' ', entries)}");
    }

    // G1, T3: each renewal is told once, as of its own instant.
    private void CheckRenewal(Entry entry)
    {
        var key = KeyOf(entry);
        var (account, allocation) = (AccountOf(key), store.Member(key)!.Allocation);
        var (before, after) = (Json.Read<Told>(entry.Before!), Json.Read<Told>(entry.After!));
        Holds(before.Cycle == account.Booked && after.Cycle > before.Cycle && after.Cycles == after.Cycle - before.Cycle, "renewals are booked once, one after another (T3, G1)", $"{key}: booked until {account.Booked}, {entry}");
        Holds(entry.EffectiveAt == Start(allocation, TermsOf(key), before.Cycle + 1) && after.BeganOn == DayByDay.Date(Start(allocation, TermsOf(key), after.Cycle)!.Value, TermsOf(key)),
            "a renewal takes effect when its cycle begins (T3)", $"{key}, {allocation}: {entry}");
        Holds(before.UsedInCycle == account.UsedOf($"cycle:{allocation.Restarts}.{before.Cycle}"), "a renewal tells what was used of the cycle that ends (G1)", $"{key}, {allocation}: {entry}");
        account.Booked = after.Cycle;
    }

    // A11: of a fixed amount what was used stays used, whoever leaves and comes back.
    private void CheckReturn(Entry entry)
    {
        var (before, after) = (Json.Read<ToldSettings>(entry.Before!), Json.Read<ToldSettings>(entry.After!));
        Holds(before.Renewal != Renewal.Fixed || before.Renewal != after.Renewal || before.Amount != after.Amount || before.UsedInCycle == after.UsedInCycle,
            "of a fixed amount what was used stays used (A11)", $"{entry}");
    }

    // A5; the simulation gives each grant a reason of its own, and changes of several users another.
    private void CheckExtra(Entry entry)
    {
        AccountOf(entry).Granted += entry.Quantity;
        if (entry.Quantity < 0) tookBack.Add(KeyOf(entry));
        Holds(string.IsNullOrEmpty(entry.Reason) || entry.Reason.StartsWith("change", StringComparison.Ordinal) || granted.Add(entry.Reason), "extra credits under one key are granted once (A5)", $"{entry}");
    }

    // A6, A11: the cycles start anew where something changed, else they go on.
    private void CheckMember(MemberChange change, Commit commit)
    {
        var key = new AllocationKey(change.ContractId, change.Member.UserId);
        var (account, next) = (AccountOf(key), change.Member.Allocation);
        var stored = store.Member(key);
        var was = stored?.Allocation ?? Allocation.None;
        var isSame = next.Settings == was.Settings && next.StartDate == was.StartDate;
        var all = commit.Changes.Entries.Where(entry => entry.Kind == EntryKind.AllocationSet && entry.UserId == key.UserId && entry.ContractId == key.ContractId).ToList();

        // Whoever comes back goes on with what is left of a fixed amount (A11).
        var told = all.Count(entry => Json.Read<ToldSettings>(entry.After!).UsedInCycle == 0);
        if (next.Restarts == was.Restarts)
        {
            Holds(next.Settings == was.Settings && told == 0 && (isSame || all.Count > 0), "new settings start new cycles (A6)", $"{key}: {was}, {next}");
            return;
        }
        var now = commit.Changes.Contracts().Single(write => write.Id == change.ContractId).AsOf;
        var terms = TermsOf(key);
        var left = commit.Changes.Entries.Count(entry => entry.Kind == EntryKind.UserSet && entry.UserId == key.UserId && entry.ContractId == key.ContractId) > 1;
        var isAgain = next.StartDate == DayByDay.Date(now, terms) && account.UsedOf($"cycle:{was.Restarts}.{Cycle(was, terms, now)}") > 0;
        Holds(!isSame || isAgain || left || stored is not { Assigned: true }, "what is equal changes nothing (A6)", $"{key}: {was}, {next}");
        Holds(next.Restarts == was.Restarts + told, "new cycles are told once (A6, G1)", $"{key}: {was}, {next}, told {told} times");
        Holds(account.Booked == Cycle(was, terms, now), "the cycles that ended are booked first (T3)", $"{key}: booked until {account.Booked}, {was}");
        Holds(next.Settings is null || (next.StartDate >= DayByDay.Date(now, terms) && next.StartDate >= terms.StartsOn), "cycles start today or later, within the contract (A2)", $"{key} at {now}: {next}");
        (account.Restarts, account.Booked) = (next.Restarts, Cycle(next, terms, now));
    }

    // A7: only what it was shown on, and once.
    private void CheckConfirm(Preview preview, Commit commit)
    {
        var now = commit.Changes.Contracts().Single(write => write.Id == preview.ContractId).AsOf;
        var standing = history.Standing(preview.ContractId, history.Moment)!;
        var terms = TermsOf(new(preview.ContractId, ""));
        Holds(previews.TryGetValue(preview.Token, out var known) && known.Seen.Any(seen => seen.Terms == standing.Terms && seen.Users == standing.Users)
            && DayByDay.Date(now, terms) == DayByDay.Date(preview.At, terms), "a confirm changes only what it was shown on (A7)", $"{preview.Token} at {now}, of {preview.At}: {standing}, was {string.Join(" or ", known?.Seen ?? [])}");
        Holds(confirmed.Add(preview.Token), "a confirm is done once (A7)", $"{preview.Token}");
    }

    // A7: all of it, in the commit of its answer.
    private void CheckConfirmed(Preview preview, Commit commit)
    {
        var told = commit.Changes.Entries.Where(entry => entry.Cause == $"confirm:{preview.Token}" && entry.UserId is not null).Select(entry => entry.UserId!).ToHashSet();
        var rows = preview.Answer!.Changes!.Value;
        Holds(told.SetEquals(rows.Select(row => row.UserId)), "a confirm is whole (A7)", $"{string.Join(' ', told)}, answered {string.Join(' ', rows)}");
        Holds(WasDone(commit, preview.ContractId, rows), "a confirm is whole (A7)", $"{string.Join(' ', rows)}, but {string.Join(' ', commit.Changes.Members)}");
        var today = DayByDay.Date(preview.At, TermsOf(new(preview.ContractId, "")));
        foreach (var wanted in preview.Change.Users)
        {
            var given = store.Member(new(preview.ContractId, wanted.UserId))!.Allocation;
            Holds(!(wanted.Settings.StartDate >= today) || (given.StartDate == wanted.Settings.StartDate && given.UsedInCycle == 0),
                "a given start date of today or later counts (A6)", $"{wanted}, but {given}");
            if (!told.Contains(wanted.UserId) && commit.Changes.Members.Any(change => change.Member.UserId == wanted.UserId)) continue;
            var allocation = store.Member(new(preview.ContractId, wanted.UserId))!.Allocation;
            Holds(store.Member(new(preview.ContractId, wanted.UserId))!.Assigned == (wanted.Assigned ?? true) && (!wanted.Settings.Clears || allocation.Settings is null)
                && (wanted.ExtraCredits ?? allocation.ExtraCredits) == allocation.ExtraCredits && (wanted.Settings.Renewal ?? allocation.Settings?.Renewal) == allocation.Settings?.Renewal
                && (allocation.Settings?.Amount is not { } amount || (wanted.Settings.Amount ?? amount) == amount), "a confirm is whole (A7)", $"{wanted}, but {allocation}");
        }
    }

    /// <summary>Whether a commit made all these changes.</summary>
    public static bool WasDone(Commit commit, string contractId, IEnumerable<RowChange> rows) => rows.All(row => commit.Changes.Members.Any(change =>
        change.ContractId == contractId && change.Member.UserId == row.UserId && change.Member.Allocation is var allocation && allocation.ExtraCredits == row.After.ExtraCredits
        && change.Member.Assigned == row.After.Assigned
        && allocation.Settings?.Amount == row.After.Amount && allocation.Settings?.Renewal == row.After.Renewal
        && allocation.Settings?.ShownFrequency == row.After.Frequency
        && allocation.Settings?.On == row.After.On && allocation.StartDate == row.After.StartDate));

    private void CheckBalance(MemberChange change)
    {
        var key = new AllocationKey(change.ContractId, change.Member.UserId);
        var allocation = store.Member(key)!.Allocation;
        var account = AccountOf(key);
        Holds(allocation.Restarts == account.Restarts && allocation.Cycle == account.Booked, "every renewal is in the ledger (T3, G1)", $"{key}: {allocation}, booked until {account.Restarts}.{account.Booked}");
        Holds(
            allocation.UsedInCycle == account.UsedOf($"cycle:{allocation.Restarts}.{allocation.Cycle}") && allocation.ExtraUsed == account.UsedOf(Allocation.Extra) && allocation.ExtraCredits == account.Granted,
            "what users may use adds up (G2)", $"{key}: {allocation}, entries: {string.Join(' ', account.Used)}, granted {account.Granted}");
        Holds(!(allocation.UsedInCycle > allocation.Settings?.Amount), "a cycle gives no more than its amount (A4)", $"{key}: {allocation}");
        Holds(allocation.ExtraUsed >= 0 && allocation.ExtraUsed <= allocation.ExtraCredits, "no more extra credits than there are (A5)", $"{key}: {allocation}");
        Holds(allocation.UsedInCycle == 0 || change.DueAt == Start(allocation, TermsOf(key), allocation.Cycle + 1), "a used cycle is due when it ends (T3)", $"{key}: {allocation}, due {change.DueAt}");
    }

    private Terms TermsOf(AllocationKey key) => history.Read(store.Document(DocumentKind.Contract, key.ContractId)!).Terms;

    private static int Cycle(Allocation allocation, Terms terms, Instant now) => allocation.Settings is { } settings ? DayByDay.Cycle(settings, allocation.StartDate!.Value, terms, now) : -1;

    private static Instant? Start(Allocation allocation, Terms terms, int cycle) => allocation.Settings is { } settings ? DayByDay.StartOf(cycle, settings, allocation.StartDate!.Value, terms) : null;

    private static long Sum(IEnumerable<Entry> entries, string right) => entries.Where(entry => entry.UsedOf == right).Sum(entry => entry.Quantity);

    private static AllocationKey KeyOf(Entry entry) => new(entry.ContractId!, entry.UserId!);

    private Account AccountOf(Entry entry) => AccountOf(KeyOf(entry));

    private Account AccountOf(AllocationKey key)
    {
        if (!accounts.TryGetValue(key, out var account)) accounts[key] = account = new();
        return account;
    }

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
