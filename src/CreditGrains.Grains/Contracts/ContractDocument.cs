using System.Text.Json.Serialization;
using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A contract's terms and their revision.</summary>
/// <param name="Plan">null: nothing was ever decided about its allocation.</param>
/// <param name="HasApart">Whether credits lie, or have lain, apart from their lots.</param>
public sealed record ContractDocument(
    Terms Terms,
    long Revision,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Plan? Plan = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool HasApart = false);
