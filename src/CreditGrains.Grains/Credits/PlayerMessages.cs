using CreditGrains.Domain;
using NodaTime;
using Orleans.Serialization.Cloning;

namespace CreditGrains.Grains;

/// <summary>A player's row between silos; Reports/ReportMessages.cs tells how messages travel.</summary>
[GenerateSerializer]
internal record struct SentPlayer(
    string ClientId, string PlayerId, string? ContractId, string? LotId, long Ordinal, long? CoversUntil, long AsOf, long Version);

[RegisterConverter]
internal sealed class PlayerConverter : IConverter<Player, SentPlayer>
{
    public SentPlayer ConvertToSurrogate(in Player value) => new(
        value.ClientId, value.PlayerId, value.Credit?.ContractId, value.Credit?.LotId, value.Credit?.Ordinal ?? 0,
        value.CoversUntil?.ToUnixTimeTicks(), value.AsOf.ToUnixTimeTicks(), value.Version);

    public Player ConvertFromSurrogate(in SentPlayer sent) => new(
        sent.ClientId, sent.PlayerId, sent is { ContractId: { } contract, LotId: { } lot } ? new CreditId(contract, lot, sent.Ordinal) : null,
        Sent.Instant(sent.CoversUntil), Instant.FromUnixTimeTicks(sent.AsOf), sent.Version);
}

// Within a silo it goes by reference.
[RegisterCopier]
internal sealed class PlayerCopier : ShallowCopier<Player>;
