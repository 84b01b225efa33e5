using System.Buffers.Text;
using System.Globalization;
using System.Text;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Actors;

/// <summary>Where a page ended: the key of its last item, written so that nobody takes it for more than it is.</summary>
public static class Cursor
{
    private const char Separator = '\n';

    public static string Write(params string[] key) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Separator, key)));

    /// <summary>The key that a page begins after; empty: the first page. Anything but a cursor of that many parts is refused.</summary>
    public static string[] Texts(PageRequest page, int parts)
    {
        if (page.After is null) return [];
        if (!Base64Url.IsValid(page.After)) throw new InvalidCursorException();
        var key = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(page.After)).Split(Separator);
        return key.Length == parts ? key : throw new InvalidCursorException();
    }

    public static string Of(Instant instant) => InstantPattern.ExtendedIso.Format(instant);

    public static string Of(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static Instant Instant(string text) => InstantPattern.ExtendedIso.Parse(text) is { Success: true, Value: var instant } ? instant : throw new InvalidCursorException();

    public static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidCursorException();
}
