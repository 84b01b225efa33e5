using System.Security.Cryptography;
using System.Text;

namespace CreditGrains.Domain;

/// <summary>A short text that is equal for equal texts.</summary>
public static class Fingerprint
{
    /// <summary>The SHA-256 of a text, in 64 hexadecimal digits.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
