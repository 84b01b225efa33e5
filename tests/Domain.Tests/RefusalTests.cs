using CreditGrains.Grains;
using Orleans;
using Orleans.Runtime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Every reason to refuse, provoked where it is decided: by a rule, or by the grain that knows what it rests on.</summary>
public sealed class RefusalTests
{
    private static readonly Report Made = Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Facts(), Given.Report("ann"), Given.Day(1)).Value!.Answer;

    private static readonly Dictionary<RefusalCode, Func<Task<Refusal?>>> Provoked = new()
    {
        [RefusalCode.NotFound] = () => Of(Membership.Remove(Given.Contract(), "nobody", "ops", Given.Day(1))),
        [RefusalCode.InvalidField] = () => Of(Granting.Decide(Given.Contract(), Given.Grant("L1", 0), Given.Day(1))),
        [RefusalCode.Forbidden] = () => Void(Made, isConsumer: true, day: 1),
        [RefusalCode.PreconditionFailed] = () => Of(Agreeing.Decide(Given.Contract(), new(Given.Terms with { Name = "other" }, Expected: 7, "ops"), Given.Day(1))),
        [RefusalCode.AllocationNotSupported] = () => Of(Allocating.Decide(Given.Contract() with { Terms = Given.Terms with { Type = ContractType.Unlimited } }, new GrantExtra("anna", 1, "why", "key"), Given.Day(1))),
        [RefusalCode.AllocationChanged] = () => Of(Allocating.Confirm(
            Given.Contract(), new("token", "acme", "C1", new(true, null, false, []), new(1, 7, "", new(2026, 1, 2)), Given.Day(1), null), "key", Given.Day(1))),
        [RefusalCode.ReportIdReused] = async () => (await Grain().Charge(Given.Report("bob") with { Key = new("k", "f") }) as ReportAnswer.Refused)?.Refusal,
        [RefusalCode.IdempotencyKeyReused] = async () => (await Grain().Grant(Given.Grant("L1", 6), null)).Refusal,
        [RefusalCode.PlayerCovered] = () => Of(Editing.Decide(
            Given.Contract(Given.Lot("L1", 5)), new(null, null, Next: Given.Player("ann", until: 20)), new(new("C1", "L1", 2), null, "ann", false, null, null, "why", "ops"), Given.Day(1))),
        [RefusalCode.HoldOver] = () => Void(Made with { HoldUntil = Given.Day(2) }, isConsumer: false, day: 2),
        [RefusalCode.ContractNotActive] = () => Charge(Given.Anna, day: 365),
        [RefusalCode.UserNotAssigned] = () => Charge(Given.Anna with { Assigned = false, Disabled = true }),
        [RefusalCode.UserDisabled] = () => Charge(Given.Anna with { Disabled = true }),
        [RefusalCode.InsufficientAllocation] = () => Charge(Given.Anna, Plan.Initial with { Enabled = true }),
        [RefusalCode.InsufficientContractCredits] = () => Charge(Given.Anna),
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

    // One that nothing provokes is one that nobody needs.
    [Fact]
    public void The_table_has_every_code_in_the_order_in_which_they_are_checked() => Assert.Equal(Enum.GetValues<RefusalCode>(), Provoked.Keys);

    private static Account Planned(Milestone milestone) => Given.Account().With(milestone);

    private static Task<Refusal?> Of<T>(Decision<T> decision) => Task.FromResult(decision.Refusal);

    private static Task<Refusal?> Void(Report report, bool isConsumer, int day) => Of(Undoing.Decide(
        Given.Contract(), new(report, new Dictionary<CreditId, Credit>(), new Dictionary<string, Lot>(), new Dictionary<string, Player>(), Given.Anna),
        new VoidReport(new("acme", "R1"), null, "why", "key", isConsumer), Given.Day(day)));

    // Anna's report of one new player, from an empty pool.
    private static Task<Refusal?> Charge(Member anna, Plan? plan = null, int day = 1) =>
        Of(Charging.Decide(Given.Contract().With(anna) with { Plan = plan ?? Plan.Initial }, Given.Facts(), Given.Report("ann"), Given.Day(day)));

    // The grain of a contract that has made the lot L1 and the report R1; other grains are away.
    private static ContractGrain Grain()
    {
        var body = Json.Write(new { Schema = 1, Value = new ContractDocument(Given.Terms, 1) });
        var document = new Document(DocumentKind.Contract, "C1", 1, body, "acme", Given.Day(0), null);
        var store = Stub.Of<IStore>((method, arguments) => method switch
        {
            nameof(IStore.Document) => arguments is [DocumentKind.Contract, ..] ? document : null,
            nameof(IStore.Contract) => new StoredContract(document with { Version = 2 }, []),
            nameof(IStore.Lot) => Given.Lot("L1", 5),
            nameof(IStore.Read) => CreditGrains.Grains.Rows.None with { Reports = new Dictionary<string, Report> { ["R1"] = Made } },
            nameof(IStore.Commit) => new CommitResult.Done(),
            _ => null,
        });
        var context = Stub.Of<IGrainContext>((method, _) => method == $"get_{nameof(IGrainContext.GrainId)}" ? GrainId.Create("contract", "C1") : null);
        var factory = Stub.Of<IGrainFactory>((_, _) => throw new ObjectDisposedException("grains"));
        return new(context, new(factory, store, new MachineClock(), TimeProvider.System, new(), ReminderTimes.Embedded));
    }
}
