using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Grains;

/// <summary>Where a page of a list ended, as callers carry it: the sort key of its last item. Callers cannot read it, and what no list has made is refused.</summary>
public static class Cursor
{
    private const char Between = '\n';
    private const int CheckBytes = 4;

    // A text that no list's name ends with.
    private const string Descending = " desc";

    /// <summary>What cursors of a list are of, in one of its orders.</summary>
    public static string ListOf(string list, bool isDescending) => isDescending ? list + Descending : list;

    /// <summary>Whether a cursor is of a list that is read from its end; one that no list has made is of none.</summary>
    public static bool IsDescending(string cursor) => Open(cursor) is [var list, ..] && list.EndsWith(Descending, StringComparison.Ordinal);

    /// <summary>The cursor behind an item of a list; parts are texts, whole numbers and instants.</summary>
    public static string After(string list, params IEnumerable<object> parts)
    {
        var key = Encoding.UTF8.GetBytes(string.Join(Between, parts.Select(Write).Prepend(list)));
        return Base64Url.EncodeToString([.. SHA256.HashData(key)[..CheckBytes], .. key]);
    }

    /// <summary>The parts that <see cref="After"/> was given; throws <see cref="InvalidCursorException"/>.</summary>
    public static CursorParts Read(string cursor, string list, int count)
    {
        var parts = Open(cursor);
        return parts.Length == count + 1 && parts[0] == list && After(list, parts.Skip(1)) == cursor ? new(parts[1..]) : throw new InvalidCursorException();
    }

    private static string[] Open(string cursor) => Base64Url.IsValid(cursor) && Base64Url.DecodeFromChars(cursor) is { Length: > CheckBytes } bytes
        ? Encoding.UTF8.GetString(bytes.AsSpan(CheckBytes)).Split(Between)
        : [];

    internal static string Write(object part) => part switch
    {
        Instant instant => InstantPattern.ExtendedIso.Format(instant),
        _ => Convert.ToString(part, CultureInfo.InvariantCulture)!,
    };
}

/// <summary>A cursor's parts, read from left to right.</summary>
public readonly record struct CursorParts(string[] Parts)
{
    public string Text(int index) => Parts[index];

    public long Number(int index) =>
        long.TryParse(Parts[index], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidCursorException();

    public Instant Instant(int index) => InstantPattern.ExtendedIso.Parse(Parts[index]) is { Success: true } read ? read.Value : throw new InvalidCursorException();
}
