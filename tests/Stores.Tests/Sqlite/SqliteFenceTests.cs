using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Sqlite;

namespace CreditGrains.Stores.Tests;

public sealed class SqliteFenceTests : CreditFences, IDisposable
{
    private readonly TempDirectory directory = new();
    private readonly SqliteStore store;

    public SqliteFenceTests() => store = SqliteStore.Open(directory.Path);

    protected override IStore Store => store;

    public void Dispose()
    {
        store.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task A_commit_that_fails_marks_no_neighbour()
    {
        await Done(Of(new() { Reports = [Report("taken")] }));
        var broken = Of(new() { Lots = [NewLot with { ContractId = "D" }], Entries = [Entry with { Cause = null! }] });

        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i => i % 10 == 0 ? await Fault(broken) : await Result(i % 10 == 1 ? "taken" : $"R{i}")));

        Assert.Equal(80, results.Count(result => result == nameof(CommitResult.Done)));
        Assert.Equal(10, results.Count(result => result == nameof(CommitResult.Conflict)));
        Assert.Equal(10, results.Count(result => result == nameof(Microsoft.Data.Sqlite.SqliteException)));
        Assert.Equal(81, (await store.Reports(new(null, null, null, null, null), new(1000, null))).Items.Length);
        Assert.Null(await store.Lot("D", "L"));

        async Task<string> Result(string report) => (await store.Commit(Of(new() { Reports = [Report(report)] }))).GetType().Name;
        async Task<string> Fault(Commit commit) => (await Record.ExceptionAsync(() => store.Commit(commit)))!.GetType().Name;
    }
}
