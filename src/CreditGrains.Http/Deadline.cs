namespace CreditGrains.Http;

/// <summary>A time limit that costs nothing until somebody waits; it ends, too, where the caller has gone.</summary>
internal sealed class Deadline(TimeSpan limit, TimeProvider time, CancellationToken gone) : IDisposable
{
    private CancellationTokenSource? late, either;

    /// <summary>Whether it was the caller who ended it.</summary>
    public bool IsGone => gone.IsCancellationRequested;

    /// <summary>The time begins when this is asked for first.</summary>
    public CancellationToken Token
    {
        get
        {
            late ??= new(limit, time);
            either ??= CancellationTokenSource.CreateLinkedTokenSource(late.Token, gone);
            return either.Token;
        }
    }

    public void Dispose()
    {
        either?.Dispose();
        late?.Dispose();
    }
}
