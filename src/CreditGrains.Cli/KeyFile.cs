using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CreditGrains.Cli;

internal enum Role { Consumer, Manager, Auditor, Operator }

/// <summary>An API key as it is kept: by the SHA-256 of its text, so that the file opens nothing.</summary>
internal sealed record KeyLine(string Name, Role Role, string Sha256, string? ClientId = null, string? UserId = null, string? ExpiresAt = null);

/// <summary>The file of API keys that the service reads: <c>{"keys": [...]}</c>.</summary>
internal sealed record KeyFile(IReadOnlyList<KeyLine> Keys)
{
    private const string System = "system", Local = "local";

    private const int MaxName = 100;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    /// <summary>Reads the file; where there is none it holds no keys.</summary>
    public static KeyFile Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize<KeyFile>(File.ReadAllText(file), Json) ?? throw new JsonException("it is null") : new([]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InputException($"{file} is not a file of keys: {e.Message}");
        }
    }

    /// <summary>Writes all of it or nothing; only its owner may read it.</summary>
    public void Write(string file)
    {
        var next = $"{file}.new";
        try
        {
            File.WriteAllText(next, JsonSerializer.Serialize(this, Json) + '\n');
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(next, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(e.Message);
        }
    }

    /// <summary>The file with a new key, and the key's text: it is kept nowhere. Consumers and managers belong to a client, operators to none; only a consumer may be one user's.</summary>
    public (KeyFile File, string Key) Add(string name, Role role, string? clientId, string? userId, DateTimeOffset? expiresAt = null)
    {
        if (name.Length is 0 or > MaxName || name is System or Local || name.Any(char.IsControl) || name.Trim() != name)
            throw new InputException($"A key's name must have 1 to {MaxName} printable characters, and not be {System} or {Local}.");
        if (Keys.Any(key => key.Name == name && (key.Role, key.ClientId, key.UserId) != (role, clientId, userId)))
            throw new InputException($"Another key {name} has other rights: keys of one name must have the same.");
        if (role is Role.Consumer or Role.Manager && clientId is null) throw new InputException($"A {Text(role)} key needs --client.");
        if (role == Role.Operator && clientId is not null) throw new InputException("An operator key is for all clients and takes no --client.");
        if (role != Role.Consumer && userId is not null) throw new InputException($"A {Text(role)} key takes no --user.");

        var text = $"cg_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var ends = expiresAt?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return (new([.. Keys, new(name, role, hash, clientId, userId, ends)]), text);
    }

    /// <param name="old">The newest key of the name stays.</param>
    public KeyFile Without(string name, bool old = false) => Keys.Any(key => key.Name == name)
        ? new([.. Keys.Where(key => key.Name != name || (old && key == Keys.Last(last => last.Name == name)))])
        : throw new InputException($"There is no key {name}.");

    /// <summary>A role as the file writes it.</summary>
    public static string Text(Role role) => JsonNamingPolicy.KebabCaseLower.ConvertName(role.ToString());
}
