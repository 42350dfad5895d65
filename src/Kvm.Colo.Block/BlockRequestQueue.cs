namespace Kvm.Colo.Block;

/// <summary>
/// Requests in the order they came, linked through <see cref="BlockRequest.Next"/>: a request is in one queue at a time. Whoever has the
/// queue locks.
/// </summary>
internal struct BlockRequestQueue
{
    private BlockRequest? _last;

    /// <summary>The oldest; null when the queue is empty.</summary>
    public BlockRequest? First { get; private set; }

    public int Count { get; private set; }

    public void Add(BlockRequest request)
    {
        request.Next = null;
        if (_last is null)
            First = request;
        else
            _last.Next = request;
        _last = request;
        Count++;
    }

    /// <summary>Takes the oldest out; null when the queue is empty.</summary>
    public BlockRequest? TakeFirst()
    {
        if (First is not { } request)
            return null;
        First = request.Next;
        request.Next = null;
        if (First is null)
            _last = null;
        Count--;
        return request;
    }

    /// <summary>Takes all out, as a queue of their own.</summary>
    public BlockRequestQueue TakeAll()
    {
        BlockRequestQueue all = this;
        this = default;
        return all;
    }
}
