using System.Runtime.CompilerServices;
using System.Text.Json;
using CreditGrains.Domain;

namespace CreditGrains.Http;

/// <summary>A body in which a null says something else than a field that is left out (JSON merge patch).</summary>
internal abstract record PatchBody
{
    private readonly HashSet<string> nulls = [];

    /// <summary>Takes a field's value as it was sent.</summary>
    protected T Sent<T>(T value, [CallerMemberName] string field = "")
    {
        if (value is null) nulls.Add(field);
        return value;
    }

    protected bool IsNull(string field) => nulls.Contains(field);

    /// <summary>A refusal of a null that means nothing.</summary>
    protected Refusal? NotNull(string field, bool unless = false) =>
        unless || !IsNull(field) ? null : Refusal.Invalid(JsonNamingPolicy.CamelCase.ConvertName(field), "must not be null; leave it out to keep it as it is");
}
