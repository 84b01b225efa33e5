using CreditGrains.Http;
using Microsoft.AspNetCore.Components;

namespace CreditGrains.Parts;

/// <summary>What a page tells first: why it was refused, or what has been done.</summary>
internal static class Told
{
    public static RenderFragment Of(Problem? problem, string? done = null) => builder =>
    {
        if (problem is not null)
        {
            builder.OpenComponent<Refused>(0);
            builder.AddComponentParameter(1, nameof(Refused.Title), problem.Title);
            builder.AddComponentParameter(2, nameof(Refused.Detail), problem.Detail);
            builder.AddComponentParameter(3, nameof(Refused.Reasons), problem.Errors?.Select(error => error.Reason).ToArray() ?? []);
            builder.CloseComponent();
        }
        else if (done is not null)
        {
            builder.OpenElement(4, "p");
            builder.AddAttribute(5, "class", "notice good");
            builder.AddAttribute(6, "role", "status");
            builder.AddContent(7, done);
            builder.CloseElement();
        }
    };
}
