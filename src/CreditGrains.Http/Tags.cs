using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CreditGrains.Http;

/// <summary>ETags, and what If-Match demands of them (§3).</summary>
internal static class Tags
{
    public static string Of(object version) => $"\"{version}\"";

    /// <summary>The version that If-Match demands: the present one where it is named, else one that no document has; null: any.</summary>
    public static long? Expected(HttpRequest request, long? present)
    {
        if (request.Headers.IfMatch.Count == 0) return null;
        var isNamed = present is { } version && request.GetTypedHeaders().IfMatch.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Tag == Of(version));
        return isNamed ? present : -1;
    }
}
