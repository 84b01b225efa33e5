namespace CreditGrains.Standalone;

/// <summary>Runs the tasks of one actor one at a time, in order, on the thread pool.</summary>
internal sealed class Turns : TaskScheduler, IThreadPoolWorkItem
{
    // After so many turns in a row others get the thread.
    private const int MaxInARow = 64;

    private readonly Queue<Task> waiting = new(1);
    private bool running;

    public override int MaximumConcurrencyLevel => 1;

    void IThreadPoolWorkItem.Execute()
    {
        for (var turn = 0; turn < MaxInARow; turn++)
        {
            Task? next;
            lock (waiting)
            {
                if (!waiting.TryDequeue(out next))
                {
                    running = false;
                    return;
                }
            }
            TryExecuteTask(next);
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    protected override void QueueTask(Task task)
    {
        lock (waiting)
        {
            waiting.Enqueue(task);
            if (running) return;
            running = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    // A turn never begins within another one.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (waiting) return [.. waiting];
    }
}
