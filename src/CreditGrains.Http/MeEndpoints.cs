using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Who the caller is, by its key.</summary>
internal static class MeEndpoints
{
    public static void MapMe(this IEndpointRouteBuilder v1) => v1.MapGet("/me", Get).Needs(Access.Any).Answers<Me>("The caller's name, role, client and user, and what it may do", 200);

    private static IResult Get(Caller caller) => TypedResults.Ok(new Me(
        caller.Name, caller.Role, caller.ClientId, caller.UserId, [.. Enum.GetValues<Access>().Where(access => access != Access.Any && caller.May(access))]));
}

/// <summary>A caller.</summary>
/// <param name="ClientId">The client to which the key is bound; null: none.</param>
/// <param name="UserId">The user to which the key is bound; null: none.</param>
/// <param name="May">What it may do: read, report, manage, operate.</param>
internal sealed record Me(string Name, Role Role, string? ClientId, string? UserId, ImmutableArray<Access> May);
