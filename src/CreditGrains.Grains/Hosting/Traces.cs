using System.Diagnostics;

namespace CreditGrains.Grains.Hosting;

/// <summary>The spans between a call of a grain and the database: what is decided together, and what is written together.</summary>
public static class Traces
{
    /// <summary>The name of their source.</summary>
    public const string Name = "CreditGrains";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>A span within the present one; null: nobody listens.</summary>
    public static Activity? Begin(string name) => Source.StartActivity(name);

    /// <summary>A span for what many have asked: within the first one's, linked to the others'. null: nobody listens.</summary>
    public static Activity? Begin(string name, IEnumerable<ActivityContext> asked)
    {
        if (!Source.HasListeners()) return null;
        var all = asked.Where(context => context != default).Distinct().ToList();
        var activity = Source.StartActivity(name, ActivityKind.Internal, all.FirstOrDefault(), links: all.Skip(1).Select(context => new ActivityLink(context)));
        return activity?.SetTag("batch.size", all.Count);
    }

    /// <summary>Who asks now.</summary>
    public static ActivityContext Asking => Activity.Current?.Context ?? default;
}
