using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using NodaTime;

namespace CreditGrains.Stores.Memory;

// Reads go through all rows: the plainest way, so that other stores can be compared with it.
public sealed partial class MemoryStore
{
    Task<ContractDocument?> IQueries.Contract(string contractId) =>
        Task.FromResult(Document(DocumentKind.Contract, contractId)?.AsContract());

    Task<Page<ContractDocument>> IQueries.Contracts(string? clientId, PageRequest page) =>
        Task.FromResult(List(Lists.Documents(DocumentKind.Contract, Filtered.Contracts, clientId), page, DocumentRow.Instance, documents.All, Read)
            .Of(document => document.AsContract()));

    Task<Page<Member>> IQueries.Users(string contractId, PageRequest page) =>
        Task.FromResult(List(Lists.Users(contractId), page, MemberRow.Instance, members.All, Read));

    Task<ImmutableArray<ContractFacts>> IQueries.Facts(IReadOnlyCollection<string> contractIds, Instant since) =>
        Task.FromResult<ImmutableArray<ContractFacts>>([.. contractIds.Select(Contract).OfType<StoredContract>().Select(contract =>
        {
            var id = contract.Document.Id;
            var charged = Reports.Where(report => report.ContractId == id && report.At > since).Sum(report => (long)report.Charged);
            var returned = entries.Select(booked => booked.Entry)
                .Where(entry => entry.Kind == EntryKind.CreditsReturned && entry.ContractId == id && entry.EffectiveAt > since)
                .Sum(entry => entry.Quantity);
            return new ContractFacts(
                contract, MembersOf(id).LongCount(member => member.Assigned), MembersOf(id).Sum(member => member.Allocation.TotalUsed), charged - returned);
        })]);

    Task<Page<ClientSummary>> IQueries.Clients(string? clientId, PageRequest page)
    {
        var all = Documents.Where(document => document.Kind is DocumentKind.Contract or DocumentKind.Account).Select(document => document.Owner)
            .Concat(Users.Select(user => user.ClientId)).Distinct()
            .Select(id => new ClientSummary(id, Owned(DocumentKind.Contract, id), Owned(DocumentKind.Account, id), Users.LongCount(user => user.ClientId == id)));
        return Task.FromResult(List(Lists.Clients(clientId), page, all, _ => client => client.ClientId, client => client));

        long Owned(string kind, string id) => Documents.LongCount(document => document.Kind == kind && document.Owner == id);
    }

    Task<Page<User>> IQueries.Directory(string? clientId, PageRequest page) =>
        Task.FromResult(List(Lists.Directory(clientId), page, UserRow.Instance, users.All, change => change.User));

    Task<User?> IQueries.User(UserKey key) => Task.FromResult(User(key));

    Task<ImmutableArray<Assignment>> IQueries.Assignments(IReadOnlyCollection<UserKey> of) => Task.FromResult<ImmutableArray<Assignment>>(
        [.. members.All.Select(change => new Assignment(new(change.ClientId, change.Member.UserId), change.ContractId, change.Member.Assigned))
            .Where(assignment => of.Contains(assignment.User)).OrderBy(assignment => assignment.ContractId, StringComparer.Ordinal)]);

    Task<Names> IQueries.Names(IReadOnlyCollection<string> contractIds, IReadOnlyCollection<UserKey> of) => Task.FromResult(new Names(
        contractIds.Distinct().Select(id => Document(DocumentKind.Contract, id)?.AsContract().Terms).OfType<Terms>()
            .ToDictionary(terms => terms.ContractId, terms => new NamedContract(terms.Name, terms.TimeZone)),
        of.Distinct().Select(User).OfType<User>().ToDictionary(user => new UserKey(user.ClientId, user.UserId), user => user.Name)));

    Task<Contract?> IQueries.ContractWithUsers(string contractId) =>
        Task.FromResult(Contract(contractId)?.AsContract(MembersOf(contractId)));

    Task<StoredMember?> IQueries.Member(AllocationKey key) => Task.FromResult(StoredMember(key));

    Task<Page<Allowance>> IQueries.Memberships(UserKey user, PageRequest page) => Task.FromResult(
        List(
            Lists.Memberships(user), page, MemberRow.Instance,
            members.All.Where(member => Document(DocumentKind.Contract, member.ContractId) is not null),
            member => StoredMember(new(member.ContractId, member.Member.UserId))!)
        .Of(stored => stored.AsAllowance()));

    Task<Page<Lot>> IQueries.Lots(string contractId, string? paymentId, PageRequest page) =>
        Task.FromResult(List(Lists.Lots(contractId, paymentId), page, LotRow.Instance, lots.All, Read).Of(listed => listed.Lot));

    Task<Lot?> IQueries.Lot(string contractId, string lotId) => Task.FromResult(Lot(contractId, lotId));

    Task<ImmutableArray<Lot>> IQueries.Apart(string contractId) =>
        Task.FromResult(OpenLots(contractId).Where(lot => lot.Apart > 0).ToImmutableArray());

    Task<Report?> IQueries.Report(ReportKey key) => Task.FromResult(Report(key));

    Task<Page<Report>> IQueries.Reports(ReportFilter filter, PageRequest page) =>
        Task.FromResult(List(Lists.Reports(filter), page, ReportRow.Instance, reports.All, change => change.Report));

    Task<Page<CreditDocument>> IQueries.Credits(CreditFilter filter, Instant now, PageRequest page)
    {
        var placed = CreditPlace.Read(page);
        var shown = Credits.Select(credit => CreditDocument.Of(WithPayment(credit), now)).Where(filter.Passes);
        var touched = placed.Sort(shown.Where(credit => placed.IsBehind(CreditPlace.Of(credit))), CreditPlace.Of);
        var free = Lots.Where(listed => CreditList.ShowsUntouched(filter) && filter.Passes(listed) && filter.PassesExpiry(listed.Lot.ExpiresAt))
            .ToLookup(listed => listed.Lot.Apart > 0);
        return Task.FromResult(CreditList.Merge(placed, touched, Untouched(isApart: false), Untouched(isApart: true)));

        IEnumerable<CreditDocument> Untouched(bool isApart) => CreditList.Untouched(
            placed.Sort(free[isApart].Where(listed => placed.IsBehind(Last(listed))), Last), filter, placed, now);

        // Of a lot's credits the one that is listed last.
        CreditPlace Last(ListedLot listed)
        {
            var ordinal = listed.Lot.Apart > 0 ? listed.Lot.Apart : page.IsDescending ? 1 : Domain.Lot.MaxQuantity;
            return new(listed.Lot.CreatedAt, new(listed.ContractId, listed.Lot.LotId, ordinal));
        }
    }

    Task<CreditDocument?> IQueries.Credit(CreditId id, Instant now)
    {
        if (Credit(id) is { } touched) return Task.FromResult<CreditDocument?>(CreditDocument.Of(WithPayment(touched), now));
        var apart = lots[new(RowKind.Lot, id.ContractId, id.LotId, id.Ordinal)];
        var lot = apart?.Lot.HasUntouched == true ? apart : lots[new(RowKind.Lot, id.ContractId, id.LotId)];
        return Task.FromResult(lot is null || lot.Lot.Quantity < id.Ordinal ? null
            : CreditDocument.Untouched(lot.ClientId, id, lot.Lot, now));
    }

    // A credit's payment is its lot's, which may have been changed since somebody touched the credit (L6).
    private Credit WithPayment(Credit credit) => credit with { PaymentId = Lot(credit.Id.ContractId, credit.Id.LotId)?.PaymentId ?? credit.PaymentId };

    Task<ImmutableArray<CreditDocument>> IQueries.Touched(IReadOnlyCollection<CreditId> ids, Instant now) =>
        Task.FromResult<ImmutableArray<CreditDocument>>([.. ids.Select(Credit).OfType<Credit>().Select(credit => CreditDocument.Of(WithPayment(credit), now))]);

    Task<ImmutableArray<CountedLot>> IQueries.CountLots(CreditFilter filter, IReadOnlyCollection<string>? paymentIds, Instant now)
    {
        var touched = Credits.ToLookup(credit => (credit.Id.ContractId, credit.Id.LotId));
        return Task.FromResult<ImmutableArray<CountedLot>>(
            [.. Lots.Where(filter.Passes).Where(listed => paymentIds is null || paymentIds.Contains(listed.Lot.PaymentId)).Select(listed =>
            {
                var rows = listed.Lot.Apart > 0 ? [] : touched[(listed.ContractId, listed.Lot.LotId)].ToList();
                return new CountedLot(listed, rows.Count, rows.Count(credit => credit.StatusAt(now) == CreditStatus.Expired));
            })]);
    }

    Task<(long Allocated, long Expired)> IQueries.CountTouched(CreditFilter filter, Instant now)
    {
        var passing = Credits.Select(credit => CreditDocument.Of(WithPayment(credit), now)).Where((filter with { Status = null }).Passes).ToList();
        var expired = passing.LongCount(credit => credit.Status == CreditStatus.Expired);
        return Task.FromResult((passing.Count - expired, expired));
    }

    Task<Page<PaymentLots>> IQueries.Payments(string? clientId, string? contractId, PageRequest page)
    {
        // Each payment stands where its first lot does.
        var payments = lots.All.Where(change => change.Lot.Apart == 0 && (contractId ?? change.ContractId) == change.ContractId)
            .GroupBy(change => (change.ClientId, change.Lot.PaymentId)).ToDictionary(group => group.Key);
        return Task.FromResult(List(Lists.Payments(clientId, contractId), page, LotRow.Instance, payments.Values.Select(group => group.First()), first =>
        {
            var all = payments[(first.ClientId, first.Lot.PaymentId)].Select(change => change.Lot).ToList();
            return new PaymentLots(
                first.ClientId, first.Lot.PaymentId, all.Count, all.Sum(lot => lot.Quantity), all.Min(lot => lot.CreatedAt), all.Max(lot => lot.CreatedAt));
        }));
    }

    Task<ImmutableArray<StoredContract>> IQueries.Due(string? contractId, string? clientId, Instant now) => Task.FromResult(Documents
        .Where(document => document.Kind == DocumentKind.Contract && document.DueAt <= now && (contractId ?? document.Id) == document.Id
            && (clientId ?? document.Owner) == document.Owner)
        .Select(Read).ToImmutableArray());

    Task<ImmutableArray<BookedEntry>> IQueries.History(CreditDocument credit)
    {
        var subject = Subjects.Credit(credit.CreditId);
        var ofCredit = entries.Where(booked => booked.Entry.Subject == subject).ToList();
        var ofLot = entries.Where(booked => booked.Entry.ContractId == credit.ContractId && booked.Entry.LotId == credit.LotId).ToList();
        var itsReports = ofCredit.Select(booked => booked.Entry.ReportId).Append(credit.ReportId).OfType<string>().ToHashSet();
        var told = ofLot.Where(booked => Grains.History.OfLot.Contains(booked.Entry.Kind))
            .Concat(ofLot.Where(booked =>
                Grains.History.OfReport.Contains(booked.Entry.Kind) && booked.Entry.ReportId is { } report && itsReports.Contains(report)));
        return Task.FromResult(Grains.History.Of(credit, told, ofCredit));
    }

    Task<ImmutableArray<UsageRow>> IQueries.Usage(UsageFilter filter)
    {
        var made = Reports.Select(report => new Used(
            report.ClientId, report.ContractId, report.UserId, report.At, 1, report.Charged, report.Covered, 0));
        var returned = entries.Select(booked => booked.Entry).Where(entry => entry is { Kind: EntryKind.CreditsReturned, UserId: not null })
            .Select(entry => new Used(entry.ClientId, entry.ContractId!, entry.UserId!, entry.EffectiveAt, 0, 0, 0, entry.Quantity));
        return Task.FromResult<ImmutableArray<UsageRow>>(
            [.. made.Concat(returned).Where(used => used.Passes(filter)).GroupBy(used => used.Of(filter)).Select(group => group.Key with
            {
                Zone = filter.ByTime ? Document(DocumentKind.Contract, group.Key.ContractId!)?.AsContract().Terms.TimeZone : null,
                Reports = group.Sum(used => used.Reports),
                Charged = group.Sum(used => used.Charged),
                Covered = group.Sum(used => used.Covered),
                GivenBack = group.Sum(used => used.GivenBack),
            })]);
    }

    // What one report used, or one entry gave back.
    private sealed record Used(
        string ClientId, string ContractId, string UserId, Instant At, long Reports, long Charged, long Covered, long GivenBack)
    {
        public bool Passes(UsageFilter filter) =>
            (filter.ClientId ?? ClientId) == ClientId && (filter.ContractId ?? ContractId) == ContractId
            && (filter.UserId ?? UserId) == UserId && !(At < filter.From) && !(At >= filter.To);

        // The sum that it counts in.
        public UsageRow Of(UsageFilter filter) => new(
            filter.ByUser ? ClientId : null, filter.ByContract ? ContractId : null, filter.ByUser ? UserId : null,
            filter.ByTime ? Slots.Of(At) : null, null, 0, 0, 0, 0);
    }

    Task<ImmutableArray<string>> IQueries.ClientsOf(string reportId) =>
        Task.FromResult<ImmutableArray<string>>([.. Reports.Where(report => report.ReportId == reportId).Select(report => report.ClientId)]);

    Task<Page<BookedEntry>> IQueries.Ledger(LedgerFilter filter, PageRequest page) =>
        Task.FromResult(Booked(Lists.Ledger(filter), page, entries));

    Task<FeedPlace> IQueries.FeedStart() => Task.FromResult(new FeedPlace(History, 0, 0));

    Task<FeedPlace> IQueries.FeedEnd() => Task.FromResult(new FeedPlace(History, 0, entries.Count));

    Task<ImmutableArray<FedEntry>> IQueries.Feed(FeedFilter filter, FeedPlace after, int limit)
    {
        after.RefuseGone(new(History, 0, 0));
        var page = Booked(Lists.Feed(filter), new(limit, null), entries.Skip((int)after.EntryId));
        return Task.FromResult<ImmutableArray<FedEntry>>(
            [.. page.Items.Select(booked => new FedEntry(new(History, 0, booked.EntryId), booked))]);
    }

    Task<ContractBalance?> IQueries.Balance(string contractId, Instant? asked, Instant now)
    {
        if (Contract(contractId) is not { } contract) return Task.FromResult<ContractBalance?>(null);
        var at = BalanceSums.InstantOf(contract, asked, now);
        return Task.FromResult<ContractBalance?>(
            new BalanceSums(contract, at, LotsFrom(contractId), Tell(contractId, Instant.MaxValue, at), OverAt(contractId, at)).Of());
    }

    private List<(string LotId, Instant AvailableFrom)> LotsFrom(string contractId) =>
        [.. LotsOf(contractId).Where(lot => lot.Apart == 0).Select(lot => (lot.LotId, lot.AvailableFrom))];

    private Dictionary<string, long> OverAt(string contractId, Instant at) => EndingsOf(contractId).Where(ending => ending.Key.At <= at)
        .GroupBy(ending => ending.Key.LotId).ToDictionary(lot => lot.Key, lot => lot.Sum(ending => ending.Credits));

    // No checkpoints: all entries are added up.
    private ToldSums Tell(string contractId, Instant from, Instant to) => new(null, [.. entries.Select(booked => booked.Entry)
        .Where(entry => entry.ContractId == contractId && entry.EffectiveAt <= to)
        .Select(entry => new EntrySum(entry.Kind, entry.LotId, entry.UserId, entry.UsedOf, entry.EffectiveAt >= from, entry.Quantity, 1))]);

    private IEnumerable<Ending> EndingsOf(string contractId) => Endings.Where(ending => ending.Key.ContractId == contractId);

    Task<ContractStatement?> IQueries.Statement(string contractId, LocalDate from, LocalDate to, Instant now)
    {
        if (Contract(contractId) is not { } contract) return Task.FromResult<ContractStatement?>(null);
        var time = StatementSums.TimeOf(contract, from, to, now);
        var over = EndingsOf(contractId).Where(ending => time.Contains(ending.Key.At))
            .Select(ending => new MovedSum(EntryKind.CoverageExpired, ending.Key.LotId, ending.UsedBy, ending.Credits));
        return Task.FromResult<ContractStatement?>(new StatementSums(
            contract, time, LotsFrom(contractId), Tell(contractId, time.Begin, time.Last),
            OverAt(contractId, time.Before), OverAt(contractId, time.Last), [.. over],
            LotsOf(contractId).Where(lot => lot.Apart == 0).ToDictionary(lot => lot.LotId, lot => lot.PaymentId)).Of());
    }

    Task<Audit?> IQueries.Audit(string contractId, bool isFull)
    {
        if (Document(DocumentKind.Contract, contractId) is null) return Task.FromResult<Audit?>(null);
        var ending = EndingsOf(contractId).GroupBy(ending => ending.Key.LotId).ToDictionary(lot => lot.Key, lot => lot.Sum(ending => ending.Credits));
        var touched = Credits.Where(credit => credit.Id.ContractId == contractId).GroupBy(credit => credit.Id.LotId).Select(lot => new TouchedSum(
            lot.Key, lot.LongCount(credit => credit.PlayerId is not null), lot.LongCount(credit => EndingKey.Of(credit) is not null),
            lot.LongCount(credit => credit.PlayerId is null), ending.GetValueOrDefault(lot.Key)));
        var reported = Reports.Where(report => report.ContractId == contractId).GroupBy(report => report.UserId);
        return Task.FromResult<Audit?>(
            new AuditSums([.. LotsOf(contractId)], [.. MembersOf(contractId)], Tell(contractId, Instant.MaxValue, Instant.MaxValue))
            {
                Ended = LotsOf(contractId).Select(lot => lot.LotId).Distinct().ToDictionary(lot => lot, lot => Ended(contractId, lot)),
                Counted = new([.. touched], reported.ToDictionary(user => user.Key, user => user.Sum(report => (long)report.Charged))),
            }.Of(contractId));
    }

    Task<AccountTerms?> IQueries.Account(string accountId) => Task.FromResult(Document(DocumentKind.Account, accountId)?.AsAccount());

    Task<Page<AccountTerms>> IQueries.Accounts(string? clientId, PageRequest page) =>
        Task.FromResult(List(Lists.Documents(DocumentKind.Account, "accounts", clientId), page, DocumentRow.Instance, documents.All, Read)
            .Of(document => document.AsAccount()));

    Task<Page<Purchase>> IQueries.Purchases(string accountId, PageRequest page) =>
        Task.FromResult(List(Lists.Purchases(accountId), page, PurchaseRow.Instance, purchases.All, change => change.Purchase));

    Task<Purchase?> IQueries.Purchase(string accountId, string purchaseId) => Task.FromResult(Purchase(accountId, purchaseId));

    Task<ImmutableArray<PurchaseFacts>> IQueries.PurchasesAsOf(string accountId, Instant? at) => Task.FromResult(PurchasesAsOf(accountId, at));

    Task<AccountStatement?> IQueries.AccountStatement(string accountId, LocalDate from, LocalDate to, Instant now)
    {
        if (Document(DocumentKind.Account, accountId) is not { } account) return Task.FromResult<AccountStatement?>(null);
        var terms = account.AsAccount();
        var time = StatementTime.Of(from, to, terms.Zone, Instant.Max(now, account.AsOf));
        var told = entries.Select(booked => booked.Entry)
            .Where(entry => entry.AccountId == accountId && entry.ServicesCredits is not null && time.Contains(entry.EffectiveAt))
            .Select(entry => (entry.Kind, entry.Subject, entry.Cause, entry.ServicesCredits!.Value));
        return Task.FromResult<AccountStatement?>(
            Domain.AccountStatement.Of(terms, time, PurchasesAsOf(accountId, time.Before), PurchasesAsOf(accountId, time.Last), PurchasesOf(accountId), told));
    }

    private ImmutableArray<PurchaseFacts> PurchasesAsOf(string accountId, Instant? at)
    {
        var corrections = entries.Select(booked => booked.Entry)
            .Where(entry => entry.Kind == EntryKind.PurchaseSet && entry.AccountId == accountId && entry.EffectiveAt > at);
        var bought = PurchasesOf(accountId).Where(purchase => !(purchase.CreatedAt > at)).Before(accountId, corrections);
        return [.. bought.Select(purchase => new PurchaseFacts(purchase, Allocated(purchase)))];

        decimal Allocated(Purchase purchase) => at is not { } then ? purchase.Allocated : Sum(consumptions.All.Where(booked =>
            booked.AccountId == accountId && booked.PurchaseId == purchase.PurchaseId && booked.MilestoneId is not null
                && booked.At <= then));
    }

    Task<Project?> IQueries.Project(string projectId) => Task.FromResult(Project(projectId));

    Task<ImmutableDictionary<string, Project>> IQueries.Projects(IReadOnlyCollection<string> projectIds) =>
        Task.FromResult(projectIds.Distinct().Select(Project).OfType<Project>().ToImmutableDictionary(project => project.ProjectId));

    Task<Page<Project>> IQueries.Projects(ProjectFilter filter, PageRequest page) =>
        Task.FromResult(List(Lists.Projects(filter), page, ProjectRow.Instance, projects.All, change => change.Project));

    Task<Milestone?> IQueries.Milestone(string milestoneId) => Task.FromResult(Milestone(milestoneId));

    Task<Page<Milestone>> IQueries.Milestones(MilestoneFilter filter, PageRequest page) =>
        Task.FromResult(List(Lists.Milestones(filter), page, milestones.All, OfMilestone, change => change.Milestone));

    Task<Page<Consumption>> IQueries.Consumptions(RecordFilter filter, PageRequest page) =>
        Task.FromResult(List(Lists.Consumptions(filter), page, ConsumptionRow.Instance, consumptions.All, booked => booked));

    Task<Page<AllocationRecord>> IQueries.AllocationRecords(RecordFilter filter, PageRequest page)
    {
        // Each sum stands where its first record does.
        var sums = consumptions.All.GroupBy(booked => (booked.AccountId, booked.AllocationId, booked.Currency))
            .ToDictionary(group => group.Key);
        var firsts = sums.Values.Select(group => group.MinBy(booked => booked.Number)!);
        return Task.FromResult(List(Lists.AllocationRecords(filter), page, ConsumptionRow.Instance, firsts, first =>
        {
            var all = sums[(first.AccountId, first.AllocationId, first.Currency)];
            return new AllocationRecord(first.AllocationId, first.AccountId, first.MilestoneId, first.Currency, Sum(all),
                all.Min(booked => booked.Date));
        }));
    }

    Task<AccountAudit?> IQueries.AuditAccount(string accountId)
    {
        if (Document(DocumentKind.Account, accountId) is null) return Task.FromResult<AccountAudit?>(null);
        var told = entries.Select(booked => booked.Entry).Where(entry => entry.AccountId == accountId && entry.ServicesCredits is not null)
            .GroupBy(entry => (entry.Subject, entry.Kind))
            .Select(group => new ServicesSum(group.Key.Subject, group.Key.Kind, group.Sum(entry => entry.ServicesCredits!.Value)));
        var recorded = consumptions.All.Where(booked => booked.AccountId == accountId)
            .GroupBy(booked => (booked.PurchaseId, booked.MilestoneId))
            .Select(group => new RecordSum(group.Key.PurchaseId, group.Key.MilestoneId, group.Sum(booked => booked.Quantity)));
        var milestones = Milestones.Where(milestone => Project(milestone.ProjectId)!.AccountId == accountId);
        return Task.FromResult<AccountAudit?>(
            new AccountSums([.. PurchasesOf(accountId)], [.. milestones], [.. told], [.. recorded]).Of(accountId));
    }

    Task<ServicesSettings> IQueries.ServicesSettings() => Task.FromResult(Settings.AsSettings().Settings);

    Task<StoreView> IQueries.Look() => Task.FromResult(StoreView.Of(isWritable: true));

    private static decimal Sum(IEnumerable<Consumption> booked) => Domain.ServicesCredits.Plain(booked.Sum(one => one.Quantity));

    private IEnumerable<Lot> LotsOf(string contractId) =>
        lots.All.Where(change => change.ContractId == contractId).Select(change => change.Lot);

    private static Page<TItem> List<TChange, TRow, TItem>(ListOf<TItem> list, PageRequest page, Row<TChange, TRow> row,
        IEnumerable<TChange> rows, Func<TChange, TItem> read)
        where TChange : Change =>
        List(list, page, rows, column => ValueOf(row, column), read);

    private static Page<BookedEntry> Booked(ListOf<BookedEntry> list, PageRequest page, IEnumerable<BookedEntry> booked) =>
        List(list, page, booked, ValueOf, one => one);

    private static Page<TItem> List<TRow, TItem>(ListOf<TItem> list, PageRequest page, IEnumerable<TRow> rows,
        Func<string, Func<TRow, object?>> valueOf, Func<TRow, TItem> read)
    {
        var behind = list.Behind(page);
        var conditions = list.Filter.Select(condition => (condition.Comparison, condition.Value, Of: valueOf(condition.Column))).ToList();
        var order = list.Order.Select(by => valueOf(by.Column)).ToList();
        var items = rows.Where(row => conditions.All(condition => Holds(condition.Of(row), condition.Comparison, condition.Value)))
            .Select(row => (Row: row, Place: order.Select(by => by(row)!).ToArray()))
            .Where(row => behind is null || Directed(row.Place, behind) > 0)
            .OrderBy(row => row.Place, Comparer<object[]>.Create(Directed)).Take(page.Limit + 1).Select(row => read(row.Row));
        return list.Cut(page, [.. items]);

        int Directed(object[] one, object[] other) => page.IsDescending ? Compare(other, one) : Compare(one, other);
    }

    private Func<MilestoneChange, object?> OfMilestone(string column) => column == Lists.AccountOfProject
        ? change => Project(change.Milestone.ProjectId)!.AccountId
        : ValueOf(MilestoneRow.Instance, column);

    private static Func<TChange, object?> ValueOf<TChange, TRow>(Row<TChange, TRow> row, string column) where TChange : Change
    {
        var name = column[(row.Alias.Length + 1)..];
        return row.Key.FirstOrDefault(key => key.Name == name) is { } part ? change => part.Value(row.KeyOf(change))
            : row.Columns.Single(one => one.Name == name).Value;
    }

    private static Func<BookedEntry, object?> ValueOf(string column)
    {
        var name = column[(EntryRow.Alias.Length + 1)..];
        if (name == EntryRow.Id) return booked => booked.EntryId;
        var of = EntryRow.Columns.Single(one => one.Name == name);
        return booked => of.Value(booked.Entry);
    }

    private static bool Holds(object? present, Comparison comparison, object value) => present is not null && comparison switch
    {
        Comparison.Equal or Comparison.AlsoEqual => Equals(present, value),
        Comparison.AtLeast => Compare(present, value) >= 0,
        Comparison.Below => Compare(present, value) < 0,
    };

    private static int Compare(object[] one, object[] other) => one.Zip(other, Compare).FirstOrDefault(compared => compared != 0);

    private static int Compare(object one, object other) =>
        one is string text ? string.CompareOrdinal(text, (string)other) : ((IComparable)one).CompareTo(other);
}
