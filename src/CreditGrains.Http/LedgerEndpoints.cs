using System.Text.Json;
using System.Text.Json.Serialization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>The ledger and its audit (G1, G2).</summary>
internal static class LedgerEndpoints
{
    public static void MapLedger(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/ledger", List).Needs(Access.Read).Answers<Listing<LedgerItem>>("Ledger entries, in the order of booking", 200);
        v1.MapGet("/contracts/{contractId}/audit", GetAudit).Needs(Access.Read)
            .Answers<Audit>("Recomputes a contract from its entries and compares", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? userId, string? reportId, string? accountId, string? kind, string? actor, string? from, string? to,
        string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone)
    {
        var filter = new LedgerFilter(caller.ClientId ?? clientId, contractId, userId, reportId, accountId)
        {
            Kind = BodyFaults.Named<EntryKind>(kind),
            Actor = actor,
            From = Parameters.Instant(from),
            To = Parameters.Instant(to),
        };
        var page = await queries.Ledger(filter, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        return TypedResults.Ok(await Listing<LedgerItem>.Named(
            page, queries, booked => (booked.Entry.ClientId, booked.Entry.ContractId, booked.Entry.UserId), (booked, names) => new(LedgerEntry.Of(booked), names), gone));
    }

    private static async Task<IResult> GetAudit(
        string contractId, string? full, Caller caller, Clients clients, IQueries queries, CancellationToken gone) =>
        await clients.Of(contractId, caller) is not null && await queries.Audit(contractId, Parameters.Flag(full) ?? false).WaitAsync(gone) is { } audit
            ? TypedResults.Ok(audit)
            : Problems.NoContract(contractId);
}

/// <summary>A ledger entry as it is shown (G1); <paramref name="Before"/> and <paramref name="After"/> are JSON already.</summary>
internal record LedgerEntry(
    long EntryId, EntryKind Kind, Instant EffectiveAt, Instant BookedAt, string Actor, string? Reason, string Cause, string Subject, decimal Quantity,
    [property: JsonConverter(typeof(LedgerEntry.RawJson))] string? Before, [property: JsonConverter(typeof(LedgerEntry.RawJson))] string? After,
    string ClientId, string? ContractId, string? UserId, string? ReportId, string? LotId, string? AccountId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UsedOf)
{
    public static LedgerEntry Of(BookedEntry booked)
    {
        var entry = booked.Entry;
        return new(
            booked.EntryId, entry.Kind, entry.EffectiveAt, entry.BookedAt, entry.Actor, entry.Reason, entry.Cause, entry.Subject, entry.ServicesCredits ?? entry.Quantity,
            entry.Before, entry.After, entry.ClientId, entry.ContractId, entry.UserId, entry.ReportId, entry.LotId, entry.AccountId, entry.UsedOf);
    }

    internal sealed class RawJson : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException("entries are only written");

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteRawValue(value);
    }
}

/// <summary>An entry as lists show it, with names beside ids.</summary>
internal sealed record LedgerItem : LedgerEntry
{
    public LedgerItem(LedgerEntry entry, Names names) : base(entry) =>
        (ContractName, UserName) = (names.Contract(entry.ContractId)?.Name, names.User(entry.ClientId, entry.UserId));

    [JsonPropertyOrder(1)]
    public string? ContractName { get; }

    [JsonPropertyOrder(1)]
    public string? UserName { get; }
}
