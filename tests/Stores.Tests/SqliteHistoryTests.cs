using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using Microsoft.Data.Sqlite;

namespace CreditGrains.Stores.Tests;

/// <summary>G4: a place in the feed is one of a history, which ends where a backup is restored or the data is copied.</summary>
public sealed class SqliteHistoryTests : IDisposable
{
    private readonly TempDirectory root = new();

    private string Data => Path.Combine(root.Path, "data");

    private string Copy => Path.Combine(root.Path, "copy");

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task It_goes_on_from_start_to_start_also_after_a_crash_and_where_the_directory_moves()
    {
        var first = await History(Data);
        Assert.Equal(first, await History(Data));

        // A crash: what is there while the store is open is what the next start finds.
        using (var store = SqliteStore.Open(Data)) SqliteConnection.ClearAllPools();
        Assert.Equal(first, await History(Data));

        Directory.Move(Data, Copy);
        Assert.Equal(first, await History(Copy));
    }

    [Fact]
    public async Task A_store_that_was_not_closed_goes_on_with_its_history()
    {
        var first = await History(Data);
        var store = SqliteStore.Open(Data);
        var left = Directory.GetFiles(Data).Where(file => !file.EndsWith("lock", StringComparison.Ordinal))
            .ToDictionary(file => file, ReadShared);
        store.Dispose();

        // As the crash left it: written over the same files.
        foreach (var (file, bytes) in left) Overwrite(file, bytes);
        Assert.Equal(first, await History(Data));
    }

    [Fact]
    public async Task A_copy_of_the_directory_begins_another_and_the_original_goes_on()
    {
        var first = await History(Data);
        CopyAll(Data, Copy);

        var copied = await History(Copy);
        Assert.NotEqual(first, copied);
        Assert.Equal(copied, await History(Copy));
        Assert.Equal(first, await History(Data));
    }

    [Fact]
    public async Task A_backup_that_takes_the_place_of_the_data_begins_another_whether_the_file_is_new_or_written_over()
    {
        var first = await History(Data);
        CopyAll(Data, Copy);
        await Booked(Data);

        Overwrite(Path.Combine(Data, "credits.db"), File.ReadAllBytes(Path.Combine(Copy, "credits.db")));
        var second = await History(Data);
        Assert.NotEqual(first, second);

        Directory.Delete(Data, recursive: true);
        CopyAll(Copy, Data);
        var third = await History(Data);
        Assert.DoesNotContain(third, new[] { first, second });

        File.Delete(Path.Combine(Data, "history"));
        Assert.DoesNotContain(await History(Data), new[] { first, second, third });
    }

    [Fact]
    public async Task A_cursor_of_before_is_gone_and_one_of_now_goes_on()
    {
        FeedPlace before;
        using (var store = SqliteStore.Open(Data))
        {
            await store.Commit(new("acme", [Samples.Entry]));
            before = await store.FeedEnd();
        }
        CopyAll(Data, Copy);

        using var restored = SqliteStore.Open(Copy);
        await Assert.ThrowsAsync<CursorGoneException>(() => restored.Feed(new(null, null), before, 10));
        Assert.Single(await restored.Feed(new(null, null), await restored.FeedStart(), 10));
        Assert.Empty(await restored.Feed(new(null, null), await restored.FeedEnd(), 10));
    }

    private static async Task<string> History(string directory)
    {
        using var store = SqliteStore.Open(directory);
        return (await store.FeedStart()).History;
    }

    private static async Task Booked(string directory)
    {
        using var store = SqliteStore.Open(directory);
        Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", [Samples.Entry])));
    }

    private static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static void Overwrite(string file, byte[] bytes)
    {
        using var stream = new FileStream(file, FileMode.OpenOrCreate);
        stream.SetLength(0);
        stream.Write(bytes);
    }

    private static void CopyAll(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
