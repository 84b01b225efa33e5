namespace CreditGrains.Simulation;

/// <summary>Worlds on two threads of their own: on the pool's they would not notice what hops there.</summary>
internal static class Threads
{
    /// <summary>Does the work for each number below <paramref name="count"/>; throws what failed first.</summary>
    public static void Run(int count, Action<int> work)
    {
        var next = -1;
        Exception? failure = null;
        var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            try
            {
                for (var number = Interlocked.Increment(ref next); number < count && failure is null; number = Interlocked.Increment(ref next)) work(number);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
