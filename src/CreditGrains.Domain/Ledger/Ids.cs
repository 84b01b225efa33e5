using System.Globalization;
using System.Text;

namespace CreditGrains.Domain;

/// <summary>
/// The ids that callers choose (§3): 1 to 64 of <c>A-Z a-z 0-9 . _ : -</c>; those of users, players and payments are external ids, 1 to 64 of what
/// <see cref="ExternalAlphabet"/> says, and stay as they are written. None contains <c>~</c>, and the first part of a composed key no <c>/</c>:
/// they separate the parts.
/// </summary>
public static class Ids
{
    /// <summary>The characters of an id, for messages.</summary>
    public const string Alphabet = "A-Z a-z 0-9 . _ : -";

    /// <summary>The most characters of an id that a caller chooses.</summary>
    public const int MaxLength = 64;

    /// <summary>The most characters of an id that the service makes.</summary>
    public const int MaxMadeLength = 200;

    /// <summary>What an external id may have, for messages: what people and other systems call a user, a player or a payment.</summary>
    public const string ExternalAlphabet = "letters and digits of any script, . _ : - @ + / # and single blanks within";

    /// <summary>Whether a caller may choose this id.</summary>
    public static bool IsValid(string? id) => id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Whether a caller or the service can have made this id: the service's have up to 200 of the same characters.</summary>
    public static bool CanBe(string? id) => id is { Length: > 0 and <= MaxMadeLength } && !id.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Whether a caller may choose this id for a user, a player or a payment.</summary>
    public static bool IsExternal(string? id) => IsValid(id) || IsExternal(id, MaxLength);

    /// <summary>Whether a caller or the service can have made this id of a payment.</summary>
    public static bool CanBeExternal(string? id) => CanBe(id) || IsExternal(id, MaxMadeLength);

    private static bool IsExternal(string? id, int most)
    {
        if (id is not { Length: > 0 } || id[0] == ' ' || id[^1] == ' ') return false;

        var (length, isBehindBlank) = (0, false);
        foreach (var rune in id.EnumerateRunes())
        {
            var isBlank = rune.Value == ' ';
            if (++length > most || (isBlank ? isBehindBlank : !IsExternal(rune))) return false;
            isBehindBlank = isBlank;
        }
        return true;
    }

    // The vowels and tones of many scripts are marks of their letters.
    private static bool IsExternal(Rune rune) => rune.IsAscii
        ? Allowed.Contains((char)rune.Value) || "@+/#".Contains((char)rune.Value)
        : Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");
}

/// <summary>A player of a client.</summary>
public readonly record struct PlayerKey(string ClientId, string PlayerId)
{
    public override string ToString() => $"{ClientId}/{PlayerId}";

    public static PlayerKey Parse(string text) =>
        text.Split('/', 2) is [var client, var player] ? new(client, player) : throw new FormatException($"Not a player key: {text}");
}

/// <summary>A report of a client: its idempotency key (R3).</summary>
public readonly record struct ReportKey(string ClientId, string ReportId)
{
    public override string ToString() => $"{ClientId}/{ReportId}";

    public static ReportKey Parse(string text) =>
        text.Split('/', 2) is [var client, var report] ? new(client, report) : throw new FormatException($"Not a report key: {text}");
}

/// <summary>A user of a client (C3).</summary>
public readonly record struct UserKey(string ClientId, string UserId)
{
    public override string ToString() => $"{ClientId}/{UserId}";

    public static UserKey Parse(string text) =>
        text.Split('/', 2) is [var client, var user] ? new(client, user) : throw new FormatException($"Not a user key: {text}");
}

/// <summary>The allocation of one user of one contract.</summary>
public readonly record struct AllocationKey(string ContractId, string UserId)
{
    public override string ToString() => $"{ContractId}/{UserId}";

    public static AllocationKey Parse(string text) =>
        text.Split('/', 2) is [var contract, var user] ? new(contract, user) : throw new FormatException($"Not an allocation key: {text}");
}

/// <summary>A credit's id: its contract, its lot and its ordinal in the lot, from 1 (P1). Ids of one lot sort as their ordinals do.</summary>
public readonly record struct CreditId(string ContractId, string LotId, long Ordinal)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ContractId}~{LotId}~{Ordinal:D9}");

    /// <summary>Reads an id; false: the text is none.</summary>
    public static bool TryParse(string? text, out CreditId id)
    {
        id = default;
        if (text?.Split('~') is not [var contract, var lot, { Length: 9 } digits] || !Ids.IsValid(contract) || !Ids.IsValid(lot)) return false;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) || ordinal < 1) return false;
        id = new(contract, lot, ordinal);
        return true;
    }

    public static CreditId Parse(string text) => TryParse(text, out var id) ? id : throw new FormatException($"Not a credit id: {text}");
}
