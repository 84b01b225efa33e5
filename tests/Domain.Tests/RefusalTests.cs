using System.Collections.Immutable;
using CreditGrains.Grains;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Every reason to refuse, provoked where it is decided: by a rule, or by the actor that owns what it rests on.</summary>
public sealed class RefusalTests
{
    private static readonly Report Made = Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Charge("ann"), Given.Day(1)).Value!.Answer;

    private static readonly Dictionary<RefusalCode, Func<Task<Refusal?>>> Provoked = new()
    {
        [RefusalCode.NotFound] = () => Of(Membership.Remove(Given.Contract() with { Members = ImmutableSortedDictionary<string, Member>.Empty }, "anna", "ops", Given.Day(1))),
        [RefusalCode.InvalidField] = () => Of(Granting.Decide(Given.Contract(), Given.Grant("L1", 0), Given.Day(1))),
        [RefusalCode.PreconditionFailed] = () => Of(Agreeing.Decide(Given.Contract(), new(Given.Terms with { Name = "other" }, Expected: 7, "ops"), Given.Day(1))),
        [RefusalCode.ReportIdReused] = async () =>
            (await new ReportActor(With(new() { Report = Made }), new("acme", "R1")).Submit(new("C1", "anna", [new("bob", null)], "key", DryRun: false)) as ReportAnswer.Refused)?.Refusal,
        [RefusalCode.IdempotencyKeyReused] = async () =>
            (await new ContractActor(With(new() { Lot = Given.Lot("L1", 5) }), "C1").Grant(Given.Grant("L1", 6), null)).Refusal,
        [RefusalCode.PlayerCovered] = () => Of(Editing.Decide(Given.Contract(Given.Lot("L1", 5)), new(null, null, Given.Credit("ann", until: 20)), new(new("C1", "L1", 2), null, "ann", false, null, null, "why", "ops"), Given.Day(1))),
        [RefusalCode.ContractNotActive] = () => Of(Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Charge("ann"), Given.Day(365))),
        [RefusalCode.UserNotAssigned] = () => Held(new("anna", "Anna", Assigned: false, Disabled: true)),
        [RefusalCode.UserDisabled] = () => Held(new("anna", "Anna", Assigned: true, Disabled: true)),
        [RefusalCode.InsufficientAllocation] = () => Held(new("anna", "Anna", Assigned: true), Plan.Initial with { Enabled = true }),
        [RefusalCode.AllocationNotSupported] = () => Of(Allocating.Decide(new(Given.Terms with { Type = ContractType.Unlimited }, 1, [], Given.Day(0)), new GrantExtra("anna", 1, "why", "key"), Given.Day(1))),
        [RefusalCode.AllocationChanged] = () => Of(Allocating.Confirm(
            Given.Contract() with { Members = ImmutableSortedDictionary<string, Member>.Empty },
            new("token", "acme", "C1", new(true, null, false, []), new(1, 7, "", new(2026, 1, 2)), Given.Day(1), null), "key", Given.Day(1))),
        [RefusalCode.InsufficientContractCredits] = () => Of(Charging.Decide(Given.Contract(), Given.Charge("ann"), Given.Day(1))),
        [RefusalCode.NotAllocated] = () => Of(ServicesAllocating.Decide(Planned(Given.Milestone("M1", 5)), Given.Adjust("M1", 4), Given.Day(1))),
        [RefusalCode.AllocationRequired] = () => Of(Planning.Decide(Planned(Given.Milestone("M1", 5)), Given.Plan("M1", 5, status: "Done"), Given.Day(1))),
        [RefusalCode.InsufficientServicesCredits] = () => Of(ServicesAllocating.Decide(Planned(Given.Milestone("M1", 5)), Given.Allocate("M1"), Given.Day(1))),
    };

    public static TheoryData<RefusalCode> Codes => [.. Enum.GetValues<RefusalCode>()];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Every_code_can_be_provoked(RefusalCode code)
    {
        Assert.True(Provoked.ContainsKey(code), $"nothing here provokes {code}");
        Assert.Equal(code, (await Provoked[code]())?.Code);
    }

    [Fact]
    public async Task C3_who_is_no_user_of_the_contract_is_not_assigned() => Assert.Equal(RefusalCode.UserNotAssigned, (await Held(null))?.Code);

    private static Account Planned(Milestone milestone) => Given.Account().With(milestone);

    private static Task<Refusal?> Of<T>(Decision<T> decision) => Task.FromResult(decision.Refusal);

    private static async Task<Refusal?> Held(Member? member, Plan? plan = null)
    {
        var stored = member is null ? null : new StoredMember(member, new(ContractActor.Kind, "C1", 1, Json.Write(new { Schema = 1, Value = new ContractDocument(Given.Terms, 1, plan) }), Given.Day(0)));
        return (await new AllocationActor(With(new() { Member = stored }), new("C1", "anna")).Peek(1)).Refusal;
    }

    private static ActorServices With(Facts facts) => new(null!, facts, new MachineClock(), null!, TimeProvider.System, new());

    /// <summary>A store of a few facts: whoever looks for more, or wants to change them, has gone too far to refuse.</summary>
    private sealed class Facts : IStore
    {
        public Report? Report { get; init; }

        public Lot? Lot { get; init; }

        public StoredMember? Member { get; init; }

        Task<Report?> IStore.Report(ReportKey key) => Task.FromResult(Report);

        Task<Lot?> IStore.Lot(string contractId, string lotId, long apart) => Task.FromResult(Lot);

        Task<StoredMember?> IStore.Member(AllocationKey key) => Task.FromResult(Member);

        public Task<Document?> Document(string kind, string id) => throw new NotSupportedException();

        public Task<StoredContract?> Contract(string contractId) => throw new NotSupportedException();

        public Task<ImmutableArray<Member>> Members(string contractId) => throw new NotSupportedException();

        public Task<Entry?> FirstExpirySet(string contractId, string lotId) => throw new NotSupportedException();

        public Task<Credit?> CurrentCredit(PlayerKey key) => throw new NotSupportedException();

        public Task<Credit?> Credit(CreditId id) => throw new NotSupportedException();

        public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => throw new NotSupportedException();

        public Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) => throw new NotSupportedException();

        public Task<ImmutableArray<Credit>> DueCredits(Instant now, int limit) => throw new NotSupportedException();

        public Task<StoredAccount?> Account(string accountId) => throw new NotSupportedException();

        public Task<Purchase?> Purchase(string accountId, string purchaseId) => throw new NotSupportedException();

        public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds) => throw new NotSupportedException();

        public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => throw new NotSupportedException();

        public Task<CommitResult> Commit(Commit commit) => throw new NotSupportedException();
    }
}
