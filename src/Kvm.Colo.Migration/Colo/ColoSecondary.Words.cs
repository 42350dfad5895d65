using System.Diagnostics;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Stream;

namespace Kvm.Colo.Migration.Colo;

/// <content>The words of the conversation.</content>
internal sealed partial class ColoSecondary
{
    private readonly byte[] _word = new byte[ColoMessageCodec.SizeBytes];
    private long _lastSent;
    private bool _cannotBeHeard;

    private void Expect(ColoMessage expected)
    {
        while (true)
        {
            if (expected == ColoMessage.VmstateSend && TryReceiveAhead())
                continue;
            ColoMessage message = ReadMessage();
            if (message == expected)
                return;
            switch (message)
            {
                case ColoMessage.Heartbeat:
                    Send(ColoMessage.Heartbeat);
                    break;
                case ColoMessage.Cut when expected == ColoMessage.VmstateSend && _cutAt == 0:
                    _cutAt = Stopwatch.GetTimestamp();
                    _machine.AwaitEpoch();
                    break;
                case ColoMessage.PageHashes when expected == ColoMessage.VmstateSend:
                    AnswerHashes();
                    break;
                default:
                    throw new MigrationException($"{_link.Description} sent {message.Name()}, expected {expected.Name()}");
            }
        }
    }

    // The word of a message with content stays: its codec reads it with the rest.
    private ColoMessage ReadMessage()
    {
        _reader.Require(ColoMessageCodec.SizeBytes);
        if (ColoMessageCodec.TryRead(_reader.Available, _features, out ColoMessage message) != FrameStatus.Ok)
            throw new MigrationException($"{_link.Description}: not a COLO message: {Convert.ToHexStringLower(_reader.Available[..4])}");
        if (message is ColoMessage.DiskData or ColoMessage.DiskZeroes)
            return message;
        if (message is not (ColoMessage.PageHashes or ColoMessage.ShutdownNotice))
            _reader.Consume(ColoMessageCodec.SizeBytes);
        _control.OnColoReceived(message);
        return message;
    }

    // The primary waits for the end of what is still coming, or of the proof: it must hear that this side lives.
    private void OnProgress()
    {
        if ((_features & ColoFeatures.Heartbeat) != 0 && Environment.TickCount64 - _lastSent > _settings.HeartbeatTimeoutMs / 2)
            Send(ColoMessage.Heartbeat);
    }

    // While an epoch goes live nothing may break it off, least of all a primary that dies then: whoever uses the link next will hear of that.
    private void OnProving()
    {
        if (_cannotBeHeard)
            return;
        try
        {
            OnProgress();
        }
        catch (LinkException)
        {
            _cannotBeHeard = true;
        }
    }

    private void Send(ColoMessage message)
    {
        ColoMessageCodec.Write(_word, message);
        _link.Send(_word);
        _lastSent = Environment.TickCount64;
        _control.OnColoSent(message);
    }
}
