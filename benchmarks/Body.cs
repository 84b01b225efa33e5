using System.Text;

namespace CreditGrains.Bench;

/// <summary>One caller's requests: one text, whose ids are written anew each time, so that making a request costs next to nothing.</summary>
internal sealed class Body
{
    private const int Digits = 12;

    // Odd, so that no two numbers below 2^48 are scattered to the same one: ids that callers choose are in no order.
    private const ulong Scatter = 0x9E3779B97F4B;

    private static long requests;

    private readonly byte[] text;
    private readonly int contractAt;
    private readonly int userAt;
    private readonly List<int> numbersAt = [];

    public Body(Load load)
    {
        var written = new StringBuilder();
        written.Append("{\"reportId\":\"r");
        Number();
        written.Append("\",\"contractId\":\"");
        contractAt = written.Length;
        written.Append(load.ContractId(0)).Append("\",\"userId\":\"");
        userAt = written.Length;
        written.Append(Contracts.UserId(0)).Append("\",\"players\":[");
        for (var player = 0; player < load.Players; player++)
        {
            written.Append(player == 0 ? "{\"playerId\":\"" : ",{\"playerId\":\"");
            if (player < load.CoveredPlayers)
            {
                written.Append(Contracts.KnownPlayer(player));
            }
            else
            {
                written.Append("new-");
                Number();
            }
            written.Append("\"}");
        }
        written.Append(load.Takes is Call.DryRun ? "],\"dryRun\":true}" : "]}");
        text = Encoding.UTF8.GetBytes(written.ToString());

        void Number()
        {
            numbersAt.Add(written.Length);
            written.Append('0', Digits);
        }
    }

    /// <summary>A report that nobody has made, with new players whom nobody has named; valid until the next one is made.</summary>
    public ReadOnlyMemory<byte> Next(string contractId, string userId)
    {
        Encoding.UTF8.GetBytes(contractId, text.AsSpan(contractAt));
        Encoding.UTF8.GetBytes(userId, text.AsSpan(userAt));
        var first = (ulong)Interlocked.Increment(ref requests) << 10;
        for (var i = 0; i < numbersAt.Count; i++)
        {
            var number = ((first + (ulong)i) * Scatter) & 0xFFFF_FFFF_FFFF;
            number.TryFormat(text.AsSpan(numbersAt[i], Digits), out _, "x12");
        }
        return text;
    }
}
