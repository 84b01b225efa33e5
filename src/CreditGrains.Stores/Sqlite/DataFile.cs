using System.Buffers.Binary;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The file of the data, looked at before SQLite touches it.</summary>
internal static class DataFile
{
    private const int HeaderBytes = 100;

    /// <summary>Throws <see cref="DataRefusedException"/> where the file is no SQLite database, or has lost its end.</summary>
    public static void Check(string file)
    {
        if (!File.Exists(file)) return;
        var header = new byte[HeaderBytes];
        using var stream = Open(file);
        if (stream.Length == 0) return;
        if (stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan().StartsWith("SQLite format 3\0"u8))
            throw new DataRefusedException($"{file} is no data of CreditGrains: name another directory by --data, or put a backup in its place.");

        // As long as the log beside it has anything, the file may be behind.
        if (new FileInfo($"{file}-wal") is { Exists: true, Length: > 0 }) return;
        var pageSize = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(16));
        if (stream.Length < (pageSize == 1 ? 1 << 16 : pageSize) * (long)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(28)))
            throw new DataRefusedException($"{file} is not whole: its end is missing; put a backup in its place.");
    }

    private static FileStream Open(string file)
    {
        try
        {
            return new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DataRefusedException($"{file} cannot be read: {e.Message}", e);
        }
    }
}
