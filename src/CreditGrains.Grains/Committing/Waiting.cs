namespace CreditGrains.Grains;

/// <summary>Lets callers wait for something that happens in their actor.</summary>
internal sealed class Signal(TimeProvider time)
{
    private readonly List<TaskCompletionSource> waiting = [];

    /// <summary>Returns at the next <see cref="Raise"/>, or when the time is over.</summary>
    public async Task Wait(TimeSpan atMost)
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Add(source);
        using var timer = time.CreateTimer(_ => source.TrySetResult(), null, atMost > TimeSpan.Zero ? atMost : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await source.Task;
        waiting.Remove(source);
    }

    public void Raise()
    {
        foreach (var source in waiting) source.TrySetResult();
        waiting.Clear();
    }
}

/// <summary>One at a time, in the order of asking.</summary>
internal sealed class Gate
{
    private readonly Queue<TaskCompletionSource> waiting = new();
    private bool taken;

    public async Task<IDisposable> Enter()
    {
        if (taken)
        {
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue(source);
            await source.Task;
        }
        taken = true;
        return new Exit(this);
    }

    private void Leave()
    {
        if (waiting.TryDequeue(out var next)) next.SetResult();
        else taken = false;
    }

    private sealed class Exit(Gate gate) : IDisposable
    {
        public void Dispose() => gate.Leave();
    }
}

/// <summary>What the store said last; asked once, however many want to know.</summary>
internal sealed class Cached<T>(Func<Task<T>> load)
{
    private Task<T>? known;

    /// <summary>How often it was dropped: what was learnt since is of another reading.</summary>
    public int Readings { get; private set; }

    public bool IsKnown => known is { IsCompletedSuccessfully: true };

    /// <summary>Whether it is known or on its way: then it was asked for before now.</summary>
    public bool IsAsked => known is not null;

    /// <summary>What became known, or was dropped, while the store was being asked counts; not what it was asked before.</summary>
    public async ValueTask<T> Get()
    {
        while (true)
        {
            var asked = known ??= load();
            try
            {
                var value = await asked;
                if (known == asked) return value;
            }
            catch
            {
                if (known == asked) known = null;
                throw;
            }
        }
    }

    public void Set(T value) => known = Task.FromResult(value);

    public void Drop()
    {
        known = null;
        Readings++;
    }
}
