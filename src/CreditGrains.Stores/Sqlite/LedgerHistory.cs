using System.Globalization;
using System.Runtime.InteropServices;
using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// Which history of the ledger a store is of (G4). A place in the feed is one of a history; where a backup is restored, or the directory is
/// copied, a new one begins, for entries that readers of the old one have seen may be missing, and others stand in their places.
/// </summary>
/// <remarks>
/// Beside <c>credits.db</c> the file <c>history</c> holds the history's id, which file the database is (inode and instant of birth), and a
/// mark that is in the database, too, and is renewed at each start and close. The history goes on where both are found again. So a new one
/// begins when the directory was copied (another file), when a backup was put in its place by whatever makes a new file (another file),
/// when one was written over the present file (another mark), and when <c>history</c> is missing. Moving the directory within its file
/// system changes nothing. What cannot be noticed is a backup taken while the store was open and written over the very same file after a
/// crash: restore into an empty directory.
/// </remarks>
internal static class LedgerHistory
{
    private const string FileName = "history";

    /// <summary>The id of the present history, begun anew where the database is not the one that was left here; renews the mark.</summary>
    public static string Open(string directory, string file, Database database)
    {
        var path = Path.Combine(directory, FileName);
        var mark = Mark(database);
        var id = Read(path) is { } left && left.File == Identity(file) && mark is not null && left.Marks.Contains(mark) ? left.Id
            : Guid.CreateVersion7().ToString("N");
        Renew(path, id, file, mark, database);
        return id;
    }

    /// <summary>Renews the mark, so that a backup taken until now is noticed wherever it is restored.</summary>
    public static void Close(string directory, string file, string id, Database database) =>
        Renew(Path.Combine(directory, FileName), id, file, Mark(database), database);

    // Until the database has the new mark, the old one is as good: a crash in between begins no history.
    private static void Renew(string path, string id, string file, string? mark, Database database)
    {
        var next = Guid.CreateVersion7().ToString("N");
        Write(path, new(id, Identity(file), mark is null ? [next] : [mark, next]));
        if (mark is null) database["insert into mark (value) values (?)"].Bind(next).Run();
        else database["update mark set value = ?"].Bind(next).Run();
        Write(path, new(id, Identity(file), [next]));
    }

    private static string? Mark(Database database) => database["select value from mark"].First(row => row.Text());

    private sealed record Left(string Id, string File, string[] Marks);

    private static Left? Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries) is [var id, var file, .. var marks]
                ? new(id, file, marks) : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static void Write(string path, Left left)
    {
        var next = $"{path}.next";
        using (var file = new FileStream(next, FileMode.Create))
        using (var text = new StreamWriter(file))
        {
            text.Write(string.Join('\n', [left.Id, left.File, .. left.Marks, ""]));
            text.Flush();
            file.Flush(flushToDisk: true);
        }
        File.Move(next, path, overwrite: true);
    }

    // A copy has another inode or was born at another instant, even where all its times are kept.
    private static string Identity(string file) =>
        OperatingSystem.IsLinux() && InodeAndBirth(file) is { } known ? known
            : string.Create(CultureInfo.InvariantCulture, $"{File.GetCreationTimeUtc(file).Ticks}");

    // Where the instant of birth is not known the device says more, though its number may change with a boot.
    private static string? InodeAndBirth(string file)
    {
        try
        {
            if (Statx(AtCurrentDirectory, file, 0, Inode | Birth, out var stat) != 0 || (stat.Mask & Inode) == 0) return null;
            return (stat.Mask & Birth) != 0
                ? string.Create(CultureInfo.InvariantCulture, $"{stat.InodeNumber} {stat.BornAt}.{stat.BornAtNanoseconds}")
                : string.Create(CultureInfo.InvariantCulture, $"{stat.InodeNumber} {stat.DeviceMajor}:{stat.DeviceMinor}");
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    private const int AtCurrentDirectory = -100;
    private const uint Inode = 0x100, Birth = 0x800;

    // The kernel's struct statx, the same for all processors.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStat
    {
        [FieldOffset(0)] public uint Mask;
        [FieldOffset(32)] public ulong InodeNumber;
        [FieldOffset(80)] public long BornAt;
        [FieldOffset(88)] public uint BornAtNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask,
        out FileStat stat);
}
