using System.Globalization;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Random days with corrections, held against models of a few lines (L2, L3, L6, S2, S3, G2, G3), on every edition. Each balance is asked for again at the end.</summary>
public sealed class CorrectionDays(CorrectionStories.Shared shared) : IClassFixture<CorrectionStories.Shared>
{
    private const int Days = 12, StepsADay = 5;

    private readonly List<(string At, string Balance)> told = [];
    private Random dice = new(0);
    private double first;
    private int now, named;

    private Api Api => shared.Api;

    private sealed record Pot(string Id, int From, int Until)
    {
        public long Free { get; set; }

        public long Withdrawn { get; set; }

        public int From { get; set; } = From;

        public int Until { get; set; } = Until;

        public long AvailableAt(int now) => From <= now && now < Until ? Free : 0;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task L6_lots_are_as_a_model_has_them(int seed)
    {
        var contract = $"days{seed}";
        await Begin(seed);
        await Api.Contract(contract, contract, new { coverageDays = 3650 });
        var (pots, used) = (new List<Pot>(), 0L);
        for (; now < Days; await Tomorrow())
        {
            for (var step = 0; step < StepsADay; step++) await Step();
            var audit = await Api.Balanced(contract);
            var over = pots.Where(pot => now >= pot.Until).Sum(pot => pot.Free);
            var left = pots.Sum(pot => pot.Free) - over;
            var books = (await Api.Get($"/v1/contracts/{contract}/balance")).Is(200);
            Assert.Equal($"{left} {used} {over} {pots.Sum(pot => pot.Withdrawn)} {pots.Sum(pot => pot.AvailableAt(now))}", Balance(books));
            Assert.Equal($"{pots.Sum(pot => pot.Withdrawn)}", $"{audit["withdrawn"]}");
            Assert.Equal(
                pots.Select(pot => $"{pot.Id} {pot.AvailableAt(now)} {pot.Withdrawn}").Order(StringComparer.Ordinal),
                (await Api.All($"/v1/contracts/{contract}/lots")).Select(lot => $"{lot["lotId"]} {lot["available"]} {lot["withdrawn"]}").Order(StringComparer.Ordinal));
            told.Add((On(now), Balance(books)));
        }
        foreach (var (at, balance) in told) Assert.Equal(balance, Balance((await Api.Get($"/v1/contracts/{contract}/balance?at={at}")).Is(200)));

        async Task Step()
        {
            var pot = pots.Count == 0 ? null : pots[dice.Next(pots.Count)];
            switch (dice.Next(6))
            {
                case 0 or 1 when pot is not null:
                    var unallocated = now < pot.Until ? pot.Free : 0;
                    var quantity = dice.Next(3) == 0 ? (int?)null : dice.Next(1, 12);
                    var path = $"/v1/contracts/{contract}/lots/{pot.Id}/withdraw";
                    (await Api.Post(path, new { quantity, reason = "model" })).Is(quantity > unallocated ? 422 : 200, quantity > unallocated ? "invalid-field" : null);
                    if (quantity > unallocated) break;
                    pot.Free -= quantity ?? unallocated;
                    pot.Withdrawn += quantity ?? unallocated;
                    break;
                case 2 when pot is not null:
                    var until = now + dice.Next(-1, 7);
                    var mayEnd = until == pot.Until || (now < pot.Until && until > now && until > pot.From);
                    (await Change(pot.Id, new { expiresAt = On(until), reason = "model" })).Is(mayEnd ? 200 : 422, mayEnd ? null : "invalid-field");
                    if (mayEnd) pot.Until = until;
                    break;
                case 3 when pot is not null:
                    var from = now + dice.Next(-1, 4);
                    var mayBegin = from == pot.From || (pot.From > now && from >= now && from < pot.Until);
                    (await Change(pot.Id, new { availableFrom = On(from), reason = "model" })).Is(mayBegin ? 200 : 422, mayBegin ? null : "invalid-field");
                    if (mayBegin) pot.From = from;
                    break;
                case 4:
                    var players = Some($"p{named++}", dice.Next(1, 9));
                    var left = players.Length;
                    var isEnough = pots.Sum(one => one.AvailableAt(now)) >= left;
                    (await Api.Report($"r{named++}", players, contract)).Is(isEnough ? 201 : 402, isEnough ? null : "insufficient-contract-credits");
                    if (!isEnough) break;
                    used += left;
                    foreach (var open in pots.OrderBy(one => one.Until).ThenBy(one => one.From).ThenBy(one => one.Id, StringComparer.Ordinal))
                    {
                        var part = Math.Min(left, (int)open.AvailableAt(now));
                        (open.Free, left) = (open.Free - part, left - part);
                    }
                    break;
                default:
                    var begin = now + Math.Max(0, dice.Next(-2, 4));
                    var granted = new Pot($"L{named++:D4}", begin, begin + dice.Next(1, 8)) { Free = dice.Next(1, 20) };
                    await Api.Grant(granted.Id, granted.Free, On(granted.Until), On(granted.From), contract);
                    pots.Add(granted);
                    break;
            }
        }

        Task<Answer> Change(string lot, object body) => Api.Send("PATCH", $"/v1/contracts/{contract}/lots/{lot}", System.Text.Json.JsonSerializer.Serialize(body));

        static string Balance(Answer books) => $"{books["unallocated"]} {books["allocated"]} {books["expired"]} {books["withdrawn"]} {books["available"]}";
    }

    // Until: the end of its last day, or noon of the day on which it was expired by hand.
    private sealed record Bought(string Id, int From)
    {
        public decimal Quantity { get; set; }

        public decimal Held { get; set; }

        public double Until { get; set; }

        public decimal AvailableAt(int now) => From - 0.5 <= now && now < Until ? Quantity - Held : 0;

        public decimal ExpiredAt(int now) => now < Until ? 0 : Quantity - Held;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task L6_purchases_are_as_a_model_has_them(int seed)
    {
        var account = $"days{seed}";
        var purchases = $"/v1/accounts/{account}/purchases";
        await Begin(seed);
        (await Api.Put($"/v1/accounts/{account}", new { clientId = account, name = "Account" })).Is(201);
        (await Api.Put($"/v1/projects/{account}", new { accountId = account, currency = "EUR" })).Is(201);
        var (all, held) = (new List<Bought>(), 0.25m);
        await Buy(20, now);
        (await Api.Put($"/v1/milestones/{account}", new { projectId = account, servicesCredits = held })).Is(201);
        (await Api.Post($"/v1/milestones/{account}/allocate", "{}")).Is(200);
        all[0].Held = held;
        for (; now < Days; await Tomorrow())
        {
            for (var step = 0; step < StepsADay; step++) await Step();
            Assert.True((bool)(await Api.Get($"/v1/accounts/{account}/audit")).Is(200)["balanced"]!);
            Assert.Equal(
                all.Select(one => Text(one.Id, one.AvailableAt(now), one.Held, one.ExpiredAt(now))).Order(StringComparer.Ordinal),
                (await Api.All(purchases)).Select(one => Text((string)one["purchaseId"]!, (decimal)one["available"]!, (decimal)one["allocated"]!, (decimal)one["expired"]!)).Order(StringComparer.Ordinal));
            told.Add((On(now), (await Balances(null)).Text));
        }
        foreach (var (at, balance) in told) Assert.Equal(balance, (await Balances(at)).Text);

        async Task Step()
        {
            var one = all[dice.Next(all.Count)];
            switch (dice.Next(6))
            {
                case 0 or 1:
                    var last = now + dice.Next(-1, 6);
                    var mayEnd = last + 0.5 == one.Until || (last + 0.5 > now && last >= one.From);
                    (await Correct(one.Id, new { expiresOn = On(last)[..10] })).Is(mayEnd ? 200 : 422, mayEnd ? null : "invalid-field");
                    if (mayEnd) one.Until = last + 0.5;
                    break;
                case 2:
                    var quantity = dice.Next(1, 60) * 0.25m;
                    (await Correct(one.Id, new { quantity })).Is(quantity >= one.Held ? 200 : 422, quantity >= one.Held ? null : "invalid-field");
                    if (quantity >= one.Held) one.Quantity = quantity;
                    break;
                case 3 when dice.Next(2) == 0:
                    (await Api.Post($"{purchases}/{one.Id}/expire", new { reason = "model" })).Is(200);
                    one.Until = Math.Min(one.Until, now);
                    break;
                case 4:
                    var wanted = dice.Next(0, 80) * 0.25m;
                    var isEnough = wanted - held <= all.Sum(some => some.AvailableAt(now));
                    (await Api.Post($"/v1/milestones/{account}/adjust", new { quantity = wanted })).Is(isEnough ? 200 : 402, isEnough ? null : "insufficient-services-credits");
                    if (isEnough) Move(wanted - held);
                    break;
                default:
                    await Buy(dice.Next(1, 60) * 0.25m);
                    break;
            }
        }

        // More by the order of drawing, less by its inverse, to each at most what is held of it.
        void Move(decimal more)
        {
            held += more;
            var order = all.OrderBy(one => one.Until).ThenBy(one => one.From).ThenBy(one => one.Id, StringComparer.Ordinal);
            foreach (var one in more > 0 ? order : order.Reverse())
            {
                var part = more > 0 ? Math.Min(more, one.AvailableAt(now)) : -Math.Min(-more, one.Held);
                (one.Held, more) = (one.Held + part, more - part);
            }
        }

        async Task Buy(decimal quantity, int? at = null)
        {
            var (from, last) = (at ?? now + Math.Max(0, dice.Next(-2, 2)), now + dice.Next(1, 6));
            var bought = new Bought($"B{named++:D4}", from) { Quantity = quantity, Until = last + 0.5 };
            (await Api.Post(purchases, new { purchaseId = bought.Id, currency = "EUR", quantity, startsOn = On(from)[..10], expiresOn = On(last)[..10] })).Is(201);
            all.Add(bought);
        }

        Task<Answer> Correct(string purchase, object body) => Api.Send("PATCH", $"{purchases}/{purchase}", System.Text.Json.JsonSerializer.Serialize(body));

        async Task<(string At, string Text)> Balances(string? at)
        {
            var balance = (await Api.Get($"/v1/accounts/{account}/balance{(at is null ? "" : $"?at={at}")}")).Is(200);
            return ((string)balance["at"]!, balance["currencies"]!.ToJsonString());
        }

        static string Text(string id, params decimal[] numbers) => $"{id} {string.Join(' ', numbers.Select(number => number.ToString("0.####", CultureInfo.InvariantCulture)))}";
    }

    private async Task Begin(int seed)
    {
        dice = new(seed);
        var clock = DateTime.Parse((string)(await Api.Get("/v1/clock")).Is(200)["now"]!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
        first = (clock - new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc)).TotalDays;
    }

    private async Task Tomorrow()
    {
        now++;
        await Api.Clock(On(now));
    }

    // Noon of that day of the story.
    private string On(double day) => Day(first + day);
}
