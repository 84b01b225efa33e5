using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>Users of contracts. A user's name, and whether the user is disabled, is the user's own row's to say.</summary>
internal sealed class MemberRow : Row<MemberChange, Member>
{
    public static readonly MemberRow Instance = new();

    public override RowKind Kind => RowKind.Member;

    public override string Table => "member";

    public override string Alias => "m";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("contract_id", key => key.First), KeyPart.Text("user_id", key => key.Second)];

    public override ImmutableArray<Column<MemberChange>> Columns { get; }

    private MemberRow() => Columns =
    [
        Fixed.Text("client_id", change => change.ClientId),
        Set.Flag("assigned", change => change.Member.Assigned),
        Set.Json("settings", change => change.Member.Allocation.Settings is { } settings ? Json.Write(settings) : null),
        Set.Date("start_date", change => change.Member.Allocation.StartDate),
        Set.Number("restarts", change => change.Member.Allocation.Restarts),
        Set.Number("cycle", change => change.Member.Allocation.Cycle),
        Set.Number("used_in_cycle", change => change.Member.Allocation.UsedInCycle),
        Set.Number("extra_credits", change => change.Member.Allocation.ExtraCredits),
        Set.Number("extra_used", change => change.Member.Allocation.ExtraUsed),
        Set.Number("total_used", change => change.Member.Allocation.TotalUsed),
        Set.Instant("due_at", change => change.DueAt),
        Set.Text("changed_by", change => change.Member.LastChange?.Actor),
        Set.Instant("changed_at", change => change.Member.LastChange?.At),
        Set.Instant("as_of", change => change.Member.AsOf),
        Fence,
    ];

    public override string Selected => $"{base.Selected}, coalesce(u.name, ''), coalesce(u.disabled, false), u.changed_by, u.as_of, coalesce(u.version, 0)";

    public override string From => "member m left join client_user u on u.client_id = m.client_id and u.user_id = m.user_id";

    public override RowKey KeyOf(MemberChange change) => change.Row;

    public override long Expected(MemberChange change) => change.Expected;

    public override long Version(MemberChange change) => change.Member.Version;

    public override Member Read(IRowReader row)
    {
        var (_, userId, _, assigned) = (row.Text(), row.Text(), row.Text(), row.Flag());
        var allocation = new Allocation(
            row.OptionalText() is { } settings ? Json.Read<Settings>(settings) : null, row.OptionalDate(),
            (int)row.Number(), (int)row.Number(), row.Number(), row.Number(), row.Number(), row.Number());
        var (_, changedBy, changedAt) = (row.OptionalInstant(), row.OptionalText(), row.OptionalInstant());
        var member = new Member(userId, "", assigned)
        {
            Allocation = allocation,
            LastChange = Change(changedBy, changedAt),
            AsOf = row.Instant(),
            Version = row.Number(),
        };
        var (name, disabled, switchedBy, switchedAt) = (row.Text(), row.Flag(), row.OptionalText(), row.OptionalInstant());
        return WithUser(member, name, disabled, switchedBy, switchedAt ?? Instant.MinValue, row.Number());
    }

    /// <summary>The member with what the user's own row says, or would say if it were there.</summary>
    public static Member WithUser(Member member, string name, bool disabled, string? changedBy, Instant asOf, long version) => member with
    {
        Name = name,
        Disabled = disabled,
        LastChange = changedBy is null || asOf < member.LastChange?.At ? member.LastChange : new(changedBy, asOf),
        AsOf = Instant.Max(member.AsOf, asOf),
        UserVersion = version,
    };

    private static LastChange? Change(string? by, Instant? at) => by is null || at is null ? null : new(by, at.Value);
}
