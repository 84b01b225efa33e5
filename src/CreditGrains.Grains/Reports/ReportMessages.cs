using System.Collections.Immutable;
using System.Runtime.InteropServices;
using CreditGrains.Domain;
using NodaTime;
using Orleans.Serialization.Cloning;

namespace CreditGrains.Grains;

// How a report's messages travel between silos: field by field, by Orleans' generated codecs. The domain does not know of Orleans, so each of its
// records has a twin here that says which field has which number. A number is never used again for something else; new fields get new ones.

[GenerateSerializer]
internal record struct SentChargeReport(
    string ClientId, string ReportId, string ContractId, string UserId, SentPlayerName[] Players, string Actor, bool DryRun, string? Key, string? Fingerprint,
    int? HoldSeconds);

[GenerateSerializer]
internal record struct SentPlayerName(string PlayerId, string? Name);

[RegisterConverter]
internal sealed class ChargeReportConverter : IConverter<ChargeReport, SentChargeReport>
{
    public SentChargeReport ConvertToSurrogate(in ChargeReport value) => new(
        value.Report.ClientId, value.Report.ReportId, value.ContractId, value.UserId,
        Array.ConvertAll(value.Players.ToArrayUnsafe(), player => new SentPlayerName(player.PlayerId, player.Name)),
        value.Actor, value.DryRun, value.Key?.Key, value.Key?.Fingerprint, value.HoldSeconds);

    public ChargeReport ConvertFromSurrogate(in SentChargeReport sent) => new(
        new(sent.ClientId, sent.ReportId), sent.ContractId, sent.UserId,
        Array.ConvertAll(sent.Players, player => new PlayerName(player.PlayerId, player.Name)).AsImmutable(), sent.Actor, sent.DryRun)
    {
        HoldSeconds = sent.HoldSeconds,
        Key = sent is { Key: { } key, Fingerprint: { } fingerprint } ? new(key, fingerprint) : null,
    };
}

/// <summary>A report as it was first answered.</summary>
/// <param name="At">Like all instants here in ticks since the Unix epoch: business time has whole microseconds.</param>
[GenerateSerializer]
internal record struct SentReport(
    string ReportId, string ClientId, string ContractId, string UserId, long At, int Charged, int Covered, SentOutcome[] Players,
    long? UserAvailable, long? ContractRemaining, long? HoldUntil);

[GenerateSerializer]
internal record struct SentOutcome(string PlayerId, bool IsNew, string? CreditId, long? ExpiresAt);

[RegisterConverter]
internal sealed class ReportConverter : IConverter<Report, SentReport>
{
    public SentReport ConvertToSurrogate(in Report value) => new(
        value.ReportId, value.ClientId, value.ContractId, value.UserId, value.At.ToUnixTimeTicks(), value.Charged, value.Covered,
        Array.ConvertAll(value.Players.ToArrayUnsafe(), outcome =>
            new SentOutcome(outcome.PlayerId, outcome.Charge is PlayerCharge.New, outcome.CreditId, outcome.ExpiresAt?.ToUnixTimeTicks())),
        value.Balance.UserAvailable, value.Balance.ContractRemaining, value.HoldUntil?.ToUnixTimeTicks());

    public Report ConvertFromSurrogate(in SentReport sent) => new(
        sent.ReportId, sent.ClientId, sent.ContractId, sent.UserId, Instant.FromUnixTimeTicks(sent.At), sent.Charged, sent.Covered,
        Array.ConvertAll(sent.Players, outcome => new PlayerOutcome(
            outcome.PlayerId, outcome.IsNew ? PlayerCharge.New : PlayerCharge.Covered, outcome.CreditId, Sent.Instant(outcome.ExpiresAt))).AsImmutable(),
        new(sent.UserAvailable, sent.ContractRemaining))
    {
        HoldUntil = Sent.Instant(sent.HoldUntil),
    };
}

[GenerateSerializer]
internal record struct SentRefusal(int Code, string Detail, string? Field, SentAmounts? Amounts, ServicesAmounts? Services, FieldFault[]? Faults);

[GenerateSerializer]
internal record struct SentAmounts(long ToCharge, long? UserAvailable, long? ContractRemaining, long? NextRenewalAt, long? NextCreditsAt);

[RegisterConverter]
internal sealed class RefusalConverter : IConverter<Refusal, SentRefusal>
{
    public SentRefusal ConvertToSurrogate(in Refusal value) => new(
        (int)value.Code, value.Detail, value.Field,
        value.Amounts is { } amounts
            ? new(
                amounts.ToCharge, amounts.UserAvailable, amounts.ContractRemaining,
                amounts.NextRenewalAt?.ToUnixTimeTicks(), amounts.NextCreditsAt?.ToUnixTimeTicks())
            : null,
        value.Services, value.Faults.IsEmpty ? null : [.. value.Faults]);

    public Refusal ConvertFromSurrogate(in SentRefusal sent) => new(
        (RefusalCode)sent.Code, sent.Detail, sent.Field,
        sent.Amounts is { } amounts
            ? new(amounts.ToCharge, amounts.UserAvailable, amounts.ContractRemaining, Sent.Instant(amounts.NextRenewalAt), Sent.Instant(amounts.NextCreditsAt))
            : null,
        sent.Services)
    {
        Faults = [.. sent.Faults ?? []],
    };
}

internal static class Sent
{
    public static Instant? Instant(long? ticks) => ticks is { } since ? NodaTime.Instant.FromUnixTimeTicks(since) : null;

    /// <summary>The array of an immutable one, only to be read.</summary>
    public static T[] ToArrayUnsafe<T>(this ImmutableArray<T> items) => ImmutableCollectionsMarshal.AsArray(items) ?? [];

    public static ImmutableArray<T> AsImmutable<T>(this T[] items) => ImmutableCollectionsMarshal.AsImmutableArray(items);
}

// Within a silo they go by reference.

[RegisterCopier]
internal sealed class ChargeReportCopier : ShallowCopier<ChargeReport>;

[RegisterCopier]
internal sealed class ReportCopier : ShallowCopier<Report>;

[RegisterCopier]
internal sealed class RefusalCopier : ShallowCopier<Refusal>;
