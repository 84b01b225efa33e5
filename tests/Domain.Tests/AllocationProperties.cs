using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Half a century of allocation in any zone, beside an oracle that walks from day to day.</summary>
public sealed class AllocationProperties
{
    private abstract record Deed
    {
        public sealed record Use(int Credits) : Deed;

        public sealed record Extra(int Credits) : Deed;

        public sealed record Change(SettingsChange Settings, int? StartsIn) : Deed;

        public sealed record Look : Deed;
    }

    private sealed record Life(string Zone, Instant Begin, int? Days, (long Seconds, Deed Deed)[] Deeds);

    private static readonly string[] Zones = [.. DateTimeZoneProviders.Tzdb.Ids.Order(StringComparer.Ordinal)];

    private static Gen<SettingsChange> AnySettings =>
        from amount in Gen.Choose(0, 9)
        from renewal in Gen.Frequency((3, Gen.Constant(Renewal.Daily)), (3, Gen.Constant(Renewal.Weekly)), (4, Gen.Constant(Renewal.Monthly)), (1, Gen.Constant(Renewal.Fixed)), (1, Gen.Constant(Renewal.Unlimited)))
        from frequency in Gen.Frequency((4, Gen.Constant(1)), (3, Gen.Choose(2, 5)), (1, Gen.Choose(6, 60)))
        from weekday in Gen.Choose(1, 7)
        from day in Gen.Frequency((1, Gen.Choose(1, 28)), (2, Gen.Choose(29, 31)))
        select new SettingsChange(
            renewal == Renewal.Unlimited ? null : amount, renewal, renewal is Renewal.Fixed or Renewal.Unlimited ? null : frequency,
            renewal == Renewal.Weekly ? RenewalDay.Of((IsoDayOfWeek)weekday) : renewal == Renewal.Monthly ? RenewalDay.Of(day) : null);

    private static Gen<Deed> AnyDeed => Gen.Frequency(
        (8, from credits in Gen.Choose(0, 6) select (Deed)new Deed.Use(credits)),
        (2, from credits in Gen.Choose(-3, 5) select (Deed)new Deed.Extra(credits)),
        (2, from settings in AnySettings from startsIn in Gen.Frequency((2, Gen.Constant<int?>(null)), (1, from days in Gen.Choose(0, 40) select (int?)days)) select (Deed)new Deed.Change(settings, startsIn)),
        (4, Gen.Constant<Deed>(new Deed.Look())));

    // Jumps of seconds to years, and now and then to a midnight's edge, for UTC days are some zone's.
    private static Gen<long> AnyJump => Gen.Frequency(
        (2, from seconds in Gen.Choose(0, 100) select (long)seconds),
        (4, from hours in Gen.Choose(0, 72) select hours * 3_600L),
        (4, from days in Gen.Choose(1, 70) select days * 86_400L),
        (1, from days in Gen.Choose(70, 2_500) from second in Gen.Choose(-1, 1) select days * 86_400L + second));

    private static readonly Arbitrary<Life> AnyLife = (
        from zone in Gen.Elements(Zones)
        from begin in Gen.Choose(0, 50 * 365)
        from hour in Gen.Choose(0, 23)
        from days in Gen.Frequency((2, Gen.Constant<int?>(null)), (1, from days in Gen.Choose(30, 3_000) select (int?)days))
        from deeds in Gen.ArrayOf(from jump in AnyJump from deed in AnyDeed select (jump, deed), 40)
        select new Life(zone, Instant.FromUtc(1975, 1, 1, hour, 0) + Duration.FromDays(begin), days, deeds)).ToArbitrary();

    [Fact]
    public void T3_A3_A4_dates_and_credits_are_those_of_one_who_walks_from_day_to_day() => IsAsWalked((row, _) => row);

    [Fact]
    public void A_cycle_that_begins_a_day_late_is_caught() => Assert.ThrowsAny<Exception>(() => IsAsWalked((row, walked) => row with { NextRenewalDate = walked.Next?.PlusDays(1) }));

    [Fact]
    public void T3_idle_or_busy_one_jump_or_many_small_ones_it_is_the_same() => Properties.Hold(Prop.ForAll(AnyLife, life =>
    {
        var (busy, idle) = (Begin(life), Begin(life));
        foreach (var (seconds, deed) in life.Deeds)
        {
            var to = busy.Now + Duration.FromSeconds(seconds);
            for (var step = 1; step <= 4; step++)
            {
                busy.MoveTo(busy.Now + (to - busy.Now) / (5 - step));
                busy.Book("anna");
            }
            busy.MoveTo(to);
            idle.MoveTo(to);
            Assert.Equal($"{Do(idle, deed)}", $"{Do(busy, deed)}");
            Assert.Equal(idle.Row("anna"), busy.Row("anna"));
        }
        idle.Book("anna");
        busy.Book("anna");
        Assert.Equal(idle.Contract.Members["anna"].Allocation, busy.Contract.Members["anna"].Allocation);
        Assert.Equal(Cycles(idle), Cycles(busy));
    }), 300);

    private static void IsAsWalked(Func<AllocationRow, Walker, AllocationRow> see) => Properties.Hold(Prop.ForAll(AnyLife, life =>
    {
        var allotment = Begin(life);
        var walker = new Walker(allotment.Contract.Terms);
        foreach (var (seconds, deed) in life.Deeds)
        {
            allotment.MoveTo(allotment.Now + Duration.FromSeconds(seconds));
            walker.MoveTo(allotment.Now);
            walker.Do(deed, Do(allotment, deed));
            var row = see(allotment.Row("anna"), walker);
            Assert.Equal(
                (walker.Start, walker.Next, walker.Used, walker.Available, walker.ExtraUsed, walker.TotalUsed),
                (row.StartDate, row.NextRenewalDate, row.UsedInCycle, row.Available, row.ExtraUsed, row.TotalUsed));
        }
    }), 300);

    private static Allotment Begin(Life life)
    {
        var zone = DateTimeZoneProviders.Tzdb[life.Zone];
        var first = life.Begin.InZone(zone).Date;
        var allotment = new Allotment(Given.Terms with { TimeZone = life.Zone, StartsOn = first, EndsOn = life.Days is { } days ? first.PlusDays(days) : null, UnallocatedLifetimeDays = null }, life.Begin);
        allotment.Add("anna");
        allotment.Change(new(true, null, false, []));
        return allotment;
    }

    // Whether it was done, but for a report, of which only the user's side is of interest.
    private static RefusalCode? Do(Allotment allotment, Deed deed) => deed switch
    {
        Deed.Use(var credits) => allotment.Use("anna", credits).Refusal?.Code,
        Deed.Extra(var credits) => allotment.Grant("anna", credits).Refusal?.Code,
        Deed.Change(var settings, var startsIn) => allotment.Set("anna", settings with { StartDate = startsIn is { } days ? allotment.Window.Today.PlusDays(days) : null }).Refusal?.Code,
        _ => null,
    };

    // The cycles told, whether in runs or one by one.
    private static List<(int Restart, int Cycle)> Cycles(Allotment allotment)
    {
        var (restart, told) = (0, new List<(int, int)>());
        foreach (var entry in allotment.Entries)
        {
            if (entry.Kind == EntryKind.AllocationSet) restart++;
            if (entry.Kind != EntryKind.CyclesBegun) continue;
            var (from, to) = (Number(entry.Before!, "cycle") + 1, Number(entry.After!, "cycle"));
            told.AddRange(Enumerable.Range(from, to - from + 1).Select(cycle => (restart, cycle)));
        }
        return told;
    }

    private static int Number(string json, string name)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).GetInt32();
    }

    /// <summary>The rules by walking: today is the last day that has begun, a reset is found by going from day to day.</summary>
    private sealed class Walker(Terms terms)
    {
        private readonly DateTimeZone zone = DateTimeZoneProviders.Tzdb[terms.TimeZone];
        private SettingsChange? settings;
        private long extra;
        private Instant now;
        private LocalDate today;
        private LocalDate resetOf;

        public LocalDate? Start { get; private set; }

        public long Used { get; private set; }

        public long ExtraUsed { get; private set; }

        public long TotalUsed { get; private set; }

        public long? Available => !terms.IsActiveAt(now) ? 0 : settings?.Renewal == Renewal.Unlimited && today >= Start ? null : (today >= Start ? settings!.Amount!.Value - Used : 0) + extra - ExtraUsed;

        public LocalDate? Next => Resets(Start).SkipWhile(day => day <= today).Select(day => (LocalDate?)day).FirstOrDefault();

        public void MoveTo(Instant to)
        {
            now = to;
            today = to.InZone(zone).Date.PlusDays(-2);
            while (Begins(today.PlusDays(1)) <= now) today = today.PlusDays(1);
            if (Start is null) return;
            var last = Resets(Start, endless: true).TakeWhile(day => day <= today).Append(Start.Value).Max();
            if (last == resetOf) return;
            resetOf = last;
            Used = 0;
        }

        public void Do(Deed deed, RefusalCode? refused)
        {
            switch (deed)
            {
                case Deed.Use(var credits):
                    var over = today > terms.EndsOn;
                    Assert.Equal(over ? RefusalCode.ContractNotActive : Available < credits && credits > 0 ? RefusalCode.InsufficientAllocation : null, refused);
                    if (refused is not null) return;
                    var ofCycle = !(today >= Start) ? 0 : settings!.Renewal == Renewal.Unlimited ? credits : Math.Min(credits, settings.Amount!.Value - Used);
                    Used += ofCycle;
                    ExtraUsed += credits - ofCycle;
                    TotalUsed += credits;
                    break;
                case Deed.Extra(var credits):
                    Assert.Equal(credits == 0 || extra + credits < ExtraUsed ? RefusalCode.InvalidField : null, refused);
                    if (refused is null) extra += credits;
                    break;
                case Deed.Change(var to, var startsIn):
                    var asked = startsIn is { } days ? today.PlusDays(days) : (LocalDate?)null;
                    Assert.Equal(asked > terms.EndsOn ? RefusalCode.InvalidField : null, refused);
                    if (refused is not null || (asked is null && to == settings)) return;
                    settings = to;
                    Start = asked ?? Default();
                    resetOf = Start.Value;
                    Used = 0;
                    break;
            }
        }

        private LocalDate Default()
        {
            if (settings!.Renewal is Renewal.Fixed or Renewal.Unlimited) return today;
            var day = today.PlusDays(1);
            while (!IsOn(day)) day = day.PlusDays(1);
            return day;
        }

        private IEnumerable<LocalDate> Resets(LocalDate? start, bool endless = false)
        {
            if (start is null || settings!.Renewal is Renewal.Fixed or Renewal.Unlimited) yield break;
            var passed = IsOn(start.Value) ? 0 : settings.Frequency!.Value - 1;
            var last = endless ? today : LocalDate.Min(terms.EndsOn ?? new LocalDate(2200, 1, 1), LocalDate.Max(today, start.Value).PlusDays(31 * 61));
            for (var day = start.Value.PlusDays(1); day <= last; day = day.PlusDays(1))
                if (IsOn(day) && ++passed % settings.Frequency!.Value == 0) yield return day;
        }

        private bool IsOn(LocalDate day) => settings!.Renewal switch
        {
            Renewal.Weekly => day.DayOfWeek == settings.On!.Value.Weekday,
            Renewal.Monthly => day.Day == settings.On!.Value.DayOfMonth || (day.PlusDays(1).Day == 1 && day.Day < settings.On.Value.DayOfMonth),
            _ => true,
        };

        // NodaTime's own start of a day; of a day that was skipped, the next one's.
        private Instant Begins(LocalDate day)
        {
            try
            {
                return day.AtStartOfDayInZone(zone).ToInstant();
            }
            catch (SkippedTimeException)
            {
                return Begins(day.PlusDays(1));
            }
        }
    }
}
