using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Tests;

/// <summary>Refusals and dry runs leave a server as it was.</summary>
[Collection(PostgresServers.Quiet)]
public sealed class PostgresProofTests
{
    [Fact]
    public async Task Commits_of_guards_alone_write_no_WAL_and_take_no_transaction_id()
    {
        await using var database = await PostgresDatabase.New(isQuiet: true);
        Assert.IsType<CommitResult.Done>(await database.Store.Commit(new Reporting("C").Begin));
        var holds = Guards(new(RowKey.Document(DocumentKind.Contract, "C"), 1), new(RowKey.User("acme", "U"), 0), new(RowKey.Member("C", "U"), 1));
        var fails = Guards(new(RowKey.Player("acme", "P"), 1), new(RowKey.Report("acme", "R"), 0), new(RowKey.Lot("C", Lot("L")), 0));
        Assert.IsType<CommitResult.Done>(await database.Store.Commit(holds));

        const string Position = "select pg_current_wal_insert_lsn()::text || ' ' || pg_snapshot_xmax(pg_current_snapshot())::text";
        for (var tries = 0; ; tries++)
        {
            var before = await database.Value<string>(Position);
            var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => database.Store.Commit(i % 2 == 0 ? holds : fails)));
            for (var i = 0; i < results.Length; i++)
            {
                if (i % 2 == 0) Assert.IsType<CommitResult.Done>(results[i]);
                else Assert.Equal([RowKey.Player("acme", "P"), RowKey.Lot("C", Lot("L"))], Assert.IsType<CommitResult.Conflict>(results[i]).Rows.OrderByDescending(row => row.Kind));
            }
            // The server itself may write something now and then.
            if (before == await database.Value<string>(Position)) return;
            Assert.True(tries < 5, "proving writes");
        }
    }

    private static Lot Lot(string id) => new(id, LotSource.Purchase, "PAY", 1, Runs.UpTo(1), Reporting.Now, Reporting.Now, null, null);

    private static Commit Guards(params Guard[] guards) => new("acme", Changes.None.RestingOn(guards));
}
