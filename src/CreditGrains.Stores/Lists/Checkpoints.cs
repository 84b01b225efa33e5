using System.Collections.Immutable;
using System.Threading.Channels;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>
/// The sums of a contract's entries up to one of them, before which none can come any more. It is derived from entries alone, so that an answer
/// that starts from it is what it would be without, however late something is booked; it may be deleted at any time, unless entries that it counts
/// are archived.
/// </summary>
/// <param name="EntryId">The last entry that it counts.</param>
/// <param name="Earliest">When the first of those behind the checkpoint before took effect.</param>
/// <param name="Latest">When the last of all that it counts took effect.</param>
/// <param name="ArchivedBefore">
/// The first instant of which everything is known still, behind <paramref name="Latest"/>; null: no entry that it counts is archived.
/// </param>
internal sealed record Checkpoint(long EntryId, Instant Earliest, Instant Latest, EntrySums Sums, Instant? ArchivedBefore = null)
{
    /// <summary>A checkpoint is worth its row where so many entries came behind the one before.</summary>
    public const int FewestEntries = 20_000;

    // A checkpoint with many sums is worth as much to read as so many entries for each.
    private const int EntriesForSum = 4;

    public static readonly Checkpoint None = new(long.MinValue, Instant.MaxValue, Instant.MinValue, EntrySums.None);

    /// <summary>How many entries the next checkpoint is to count behind this one.</summary>
    public long EntriesToNext(int fewest) => Math.Max(fewest, EntriesForSum * (long)Sums.Count);

    /// <summary>The next checkpoint.</summary>
    /// <param name="place">Its place: its last entry, and when those behind this checkpoint took effect.</param>
    /// <param name="added">The entries between.</param>
    public Checkpoint Next(CheckpointPlace place, IEnumerable<EntrySum> added) =>
        new(place.EntryId, place.Earliest, Instant.Max(Latest, place.Latest), Sums.Plus(added).WithoutPastCycles());

    /// <summary>The same as an archive's.</summary>
    /// <param name="before">All that it counts was booked before.</param>
    public Checkpoint Archived(Instant before) => this with { ArchivedBefore = Instant.Max(before, Latest + StatementTime.Shortest) };

    /// <summary>The checkpoints of a contract that differ from its entries.</summary>
    /// <param name="checkpoints">In the order of their places; with the last archive's begins what entries are left for.</param>
    /// <param name="added">The entries between each and the one before.</param>
    public static ImmutableArray<Difference> Compare(IReadOnlyList<Checkpoint> checkpoints, Func<int, IReadOnlyCollection<EntrySum>> added)
    {
        var (differences, sums) = (ImmutableArray.CreateBuilder<Difference>(), EntrySums.None);
        for (var i = 0; i < checkpoints.Count; i++)
        {
            if (checkpoints[i].ArchivedBefore is not null)
            {
                sums = checkpoints[i].Sums;
                continue;
            }

            sums = sums.Plus(added(i)).WithoutPastCycles();
            differences.AddRange(checkpoints[i].Sums.DifferencesFrom(sums, $"checkpoint:{checkpoints[i].EntryId}"));
        }
        return differences.ToImmutable();
    }
}

/// <summary>Where a checkpoint is.</summary>
/// <inheritdoc cref="Checkpoint"/>
internal readonly record struct CheckpointPlace(long EntryId, Instant Earliest, Instant Latest, Instant? ArchivedBefore = null)
{
    /// <summary>The first instant of which everything is known still; null: no entry of the contract is archived.</summary>
    /// <param name="places">A contract's, in their order.</param>
    public static Instant? FirstKnown(IEnumerable<CheckpointPlace> places) => places.LastOrDefault(place => place.ArchivedBefore is not null).ArchivedBefore;
}

/// <summary>Which of a contract's entries are added to the sums of which checkpoint.</summary>
/// <param name="Checkpoint">The entry of the checkpoint; null: there is none to start from.</param>
/// <param name="Ranges">From behind an entry up to another one.</param>
internal sealed record EntryRanges(long? Checkpoint, ImmutableArray<(long Behind, long UpTo)> Ranges)
{
    /// <summary>All entries, behind an archive's checkpoint.</summary>
    /// <param name="places">The contract's checkpoints, in their order.</param>
    public static EntryRanges All(IEnumerable<CheckpointPlace> places)
    {
        long? archived = places.Where(place => place.ArchivedBefore is not null).Select(place => (long?)place.EntryId).LastOrDefault();
        return new(archived, [(archived ?? long.MinValue, long.MaxValue)]);
    }

    /// <summary>Those that make the sums up to each of two instants.</summary>
    /// <param name="places">The contract's checkpoints, in their order; if one is an archive's, all of what it counts took effect before.</param>
    public static EntryRanges Of(IReadOnlyList<CheckpointPlace> places, Instant first, Instant last)
    {
        var counted = places.Count(place => place.Latest <= first);
        long? checkpoint = counted == 0 ? null : places[counted - 1].EntryId;
        var (ranges, behind) = (ImmutableArray.CreateBuilder<(long Behind, long UpTo)>(), checkpoint ?? long.MinValue);
        foreach (var place in places.Skip(counted))
        {
            if (place.Earliest <= last) Add(place.EntryId);
            behind = place.EntryId;
        }
        Add(long.MaxValue);
        return new(checkpoint, ranges.ToImmutable());

        void Add(long upTo)
        {
            if (ranges.Count > 0 && ranges[^1].UpTo == behind) ranges[^1] = ranges[^1] with { UpTo = upTo };
            else ranges.Add((behind, upTo));
        }
    }
}

/// <summary>
/// Writes checkpoints beside the readers that ask for them, one after another. One that cannot be written, on a standby or by a role that may
/// only read, is missed by nobody: the next reader adds up as much, and asks again.
/// </summary>
/// <param name="writeNext">Writes a contract's next checkpoint; false: too few entries came behind its last one.</param>
internal sealed class CheckpointWriter
{
    private readonly Channel<string> asked = Channel.CreateBounded<string>(new BoundedChannelOptions(100) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Func<string, Task<bool>> writeNext;
    private readonly Task working;
    private volatile bool isStopping;

    public CheckpointWriter(Func<string, Task<bool>> writeNext)
    {
        this.writeNext = writeNext;
        working = Task.Run(Work);
    }

    /// <summary>Does not wait. Where too many are asked for, some are written when they are asked for again.</summary>
    public void Ask(string contractId) => asked.Writer.TryWrite(contractId);

    /// <summary>Ends with the checkpoint that is being written.</summary>
    public Task Stop()
    {
        isStopping = true;
        asked.Writer.TryComplete();
        return working;
    }

    private async Task Work()
    {
        await foreach (var contractId in asked.Reader.ReadAllAsync())
        {
            try
            {
                while (!isStopping && await writeNext(contractId)) { }
            }
            catch (Exception e) when (e is StoreUnavailableException or InvariantException)
            {
                // Nobody waits for it.
            }
        }
    }
}
