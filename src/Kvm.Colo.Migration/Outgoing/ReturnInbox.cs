using Kvm.Colo.Migration.Links;
using Kvm.Colo.Native;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Outgoing;

/// <summary>
/// Reads what the peer answers, on a thread of its own, so that a dead peer is noticed at once and nobody waits in a receive that
/// nothing will end. The migration thread takes the words out; one event tells it of everything that may concern it.
/// </summary>
internal sealed class ReturnInbox : IDisposable
{
    private const int MaxWaiting = 16;

    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<ColoMessage> _words = new(MaxWaiting);
    private readonly LinkReader _reader;
    private readonly ColoConfiguration _sent;
    private readonly Thread _thread;
    private readonly Action<ColoMessage> _onReceived;
    private ColoFeatures _features = ColoFeatures.Negotiated;
    private readonly byte[] _verdicts = new byte[PageHashQuery.MaxCount / 8];
    private int _questions;
    private ConfigurationReply? _reply;
    private LinkException? _failure;
    private ShutdownNotice? _peerEnd;
    private long _lastHeard = Environment.TickCount64;
    private long _heartbeats;

    /// <summary>Starts to read; <paramref name="sent"/> is the configuration the peer's reply is judged by.</summary>
    public ReturnInbox(ILink link, ColoConfiguration sent, Action<ColoMessage> onReceived)
    {
        _reader = new LinkReader(link) { Deadline = Timeout.InfiniteTimeSpan };
        _sent = sent;
        _onReceived = onReceived;
        _thread = new Thread(Main) { Name = "colo-return", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Set whenever something arrived or broke; others set it too when they want the migration thread to look around.</summary>
    public FutexGate Signal { get; } = new();

    /// <summary>Why the link ended, null while it lives.</summary>
    public LinkException? Failure
    {
        get
        {
            lock (_lock)
                return _failure;
        }
    }

    /// <summary>What the peer said as its machine ended, null while it lives.</summary>
    public ShutdownNotice? PeerEnd
    {
        get
        {
            lock (_lock)
                return _peerEnd;
        }
    }

    public ConfigurationReply? Reply
    {
        get
        {
            lock (_lock)
                return _reply;
        }
    }

    /// <summary>How many pages were asked about: the size of the answer that may come. Set before the question is sent.</summary>
    public void ExpectVerdicts(int questions) => Volatile.Write(ref _questions, questions);

    /// <summary>The bits of the answer, valid between the word page-verdicts and the next question.</summary>
    public ReadOnlySpan<byte> Verdicts => _verdicts.AsSpan(0, (Volatile.Read(ref _questions) + 7) / 8);

    /// <summary>How long nothing has come from the peer.</summary>
    public TimeSpan Silence => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastHeard));

    /// <summary>
    /// Heartbeats that came. Most answer one of ours, which says that what we sent before that one has been read; a peer that takes long
    /// sends some of its own accord.
    /// </summary>
    public long Heartbeats => Volatile.Read(ref _heartbeats);

    /// <summary>Starts the clock of <see cref="Silence"/> again.</summary>
    public void ForgiveSilence() => Volatile.Write(ref _lastHeard, Environment.TickCount64);

    /// <summary>Takes the next word that is not a heartbeat.</summary>
    public bool TryTake(out ColoMessage word)
    {
        lock (_lock)
            return _words.TryDequeue(out word);
    }

    /// <summary>What to say of a link that broke: the peer's own reason where it gave one, which may be heard after a send has failed.</summary>
    public LinkException Explain(LinkException seen)
    {
        if (!seen.IsTimeout)
            _thread.Join(s_lastWords);
        return Failure is { IsRefusal: true } refusal ? refusal : seen;
    }

    /// <summary>Ends the thread; the link has been shut down before.</summary>
    public void Dispose() => _thread.Join(TimeSpan.FromSeconds(10));

    private void Main()
    {
        ThreadScheduling.BecomeUrgent();
        try
        {
            while (true)
                ReadOne();
        }
        catch (LinkException e)
        {
            lock (_lock)
                _failure = e;
        }

        Signal.Set();
    }

    private void ReadOne()
    {
        _reader.Require(ColoMessageCodec.SizeBytes);
        if (ColoMessageCodec.TryRead(_reader.Available, _features, out ColoMessage word) != FrameStatus.Ok)
            throw new LinkException($"{_reader.Link.Description}: not a COLO message: {Convert.ToHexStringLower(_reader.Available[..4])}");
        _onReceived(word);
        if (word == ColoMessage.ConfigurationReply)
        {
            ReadReply();
        }
        else if (word == ColoMessage.PageVerdicts)
        {
            ReadVerdicts();
        }
        else if (word == ColoMessage.ShutdownNotice)
        {
            ReadNotice();
        }
        else if (word == ColoMessage.Refusal)
        {
            ReadRefusal();
        }
        else
        {
            _reader.Consume(ColoMessageCodec.SizeBytes);
            if (word == ColoMessage.Heartbeat)
                Volatile.Write(ref _heartbeats, _heartbeats + 1);
            else
                Keep(word);
        }

        Volatile.Write(ref _lastHeard, Environment.TickCount64);
        Signal.Set();
    }

    private void ReadReply()
    {
        _reader.Require(ConfigurationReply.SizeBytes);
        if (ConfigurationReply.TryRead(_reader.Available, _sent, out ConfigurationReply reply) != FrameStatus.Ok)
            throw new LinkException($"{_reader.Link.Description}: the peer's answer to our configuration is not acceptable");
        _reader.Consume(ConfigurationReply.SizeBytes);
        _features = reply.AcceptedFeatures | ColoFeatures.Negotiated;
        lock (_lock)
            _reply = reply;
    }

    private void ReadVerdicts()
    {
        int questions = Volatile.Read(ref _questions);
        int frame = PageHashAnswer.FrameBytes(questions);
        _reader.Require(frame);
        if (questions == 0 || PageHashAnswer.TryRead(_reader.Available, questions, out ReadOnlySpan<byte> verdicts) != FrameStatus.Ok)
            throw new LinkException($"{_reader.Link.Description}: its page verdicts do not answer our question");
        verdicts.CopyTo(_verdicts);
        _reader.Consume(frame);
        Keep(ColoMessage.PageVerdicts);
    }

    private void ReadNotice()
    {
        _reader.Require(ShutdownNotice.SizeBytes);
        if (ShutdownNotice.TryRead(_reader.Available, out ShutdownNotice notice) != FrameStatus.Ok)
            throw new LinkException($"{_reader.Link.Description}: a malformed shutdown notice");
        _reader.Consume(ShutdownNotice.SizeBytes);
        lock (_lock)
            _peerEnd = notice;
    }

    private void ReadRefusal()
    {
        string text;
        while (true)
        {
            FrameStatus status = Refusal.TryRead(_reader.Available, out text, out _);
            if (status == FrameStatus.Ok)
                throw new LinkException($"{_reader.Link.Description} gave the session up: {text}") { IsRefusal = true };
            if (status == FrameStatus.Malformed)
                throw new LinkException($"{_reader.Link.Description}: a malformed refusal");
            _reader.Fill();
        }
    }

    private void Keep(ColoMessage word)
    {
        lock (_lock)
        {
            if (_words.Count == MaxWaiting)
                throw new LinkException($"{_reader.Link.Description}: the peer sends answers nobody asked for");
            _words.Enqueue(word);
        }
    }
}
