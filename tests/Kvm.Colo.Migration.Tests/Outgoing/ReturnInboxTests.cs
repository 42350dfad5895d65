using System.Buffers.Binary;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Outgoing;
using Kvm.Colo.Migration.Tests.Support;
using Kvm.Colo.Stream;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Outgoing;

public class ReturnInboxTests
{
    private const ColoFeatures Offered = ColoFeatures.EpochDigest | ColoFeatures.Heartbeat;

    private static readonly ColoConfiguration s_sent = new(ColoFeatures.EpochDigest, Offered, 1, 4096, 1 << 20, 1);

    [Fact]
    public void Words_ArriveInOrder()
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        Send(pair, ColoMessage.CheckpointReady, ColoMessage.CheckpointReply, ColoMessage.VmstateReceived);
        Assert.Equal(ColoMessage.CheckpointReady, Take(inbox));
        Assert.Equal(ColoMessage.CheckpointReply, Take(inbox));
        Assert.Equal(ColoMessage.VmstateReceived, Take(inbox));
        End(pair, inbox);
    }

    [Fact]
    public void Reply_OpensTheFeaturesItAccepts()
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        SendReply(pair, Offered);
        Send(pair, ColoMessage.Heartbeat, ColoMessage.CheckpointReady);
        Assert.Equal(ColoMessage.CheckpointReady, Take(inbox)); // a heartbeat is not kept
        Assert.Equal(Offered, inbox.Reply!.Value.AcceptedFeatures);
        End(pair, inbox);
    }

    [Theory]
    [InlineData("deadbeef")] // no message
    [InlineData("00000007")] // QEMU's numbers end at 6
    [InlineData("ffffffff")]
    [InlineData("2e2e2e2e")]
    public void Garbage_EndsTheSessionInOneLine(string hex)
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        pair.There.Send(Convert.FromHexString(hex));
        LinkException problem = Failure(inbox);
        Assert.DoesNotContain('\n', problem.Message);
        End(pair, inbox);
    }

    [Fact]
    public void Heartbeat_IsGarbage_BeforeItWasNegotiated()
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        Send(pair, ColoMessage.Heartbeat);
        Assert.Contains("not a COLO message", Failure(inbox).Message, StringComparison.Ordinal);
        End(pair, inbox);
    }

    [Theory]
    [InlineData(ColoFeatures.None)] // less than we insist on
    [InlineData(ColoFeatures.EpochDigest | ColoFeatures.PageHashes)] // more than we offered
    [InlineData((ColoFeatures)uint.MaxValue)]
    internal void UnacceptableReply_EndsTheSession(ColoFeatures accepted)
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        SendReply(pair, accepted);
        Assert.Contains("not acceptable", Failure(inbox).Message, StringComparison.Ordinal);
        Assert.Null(inbox.Reply);
        End(pair, inbox);
    }

    [Fact]
    public void Flood_EndsTheSession()
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        Send(pair, [.. Enumerable.Repeat(ColoMessage.CheckpointReady, 100)]);
        Assert.Contains("nobody asked for", Failure(inbox).Message, StringComparison.Ordinal);
        End(pair, inbox);
    }

    [Fact]
    public void Verdicts_AreGarbage_WhenNothingWasAsked()
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent with { OfferedFeatures = Offered | ColoFeatures.PageHashes }, static _ => { });
        SendReply(pair, Offered | ColoFeatures.PageHashes);
        Send(pair, ColoMessage.PageVerdicts, 0, 0);
        Assert.NotNull(Failure(inbox));
        End(pair, inbox);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void EarlyEnd_EndsTheSession(int bytes)
    {
        using SocketPair pair = new();
        ReturnInbox inbox = new(pair.Here, s_sent, static _ => { });
        pair.There.Send(new byte[bytes]);
        pair.There.Shutdown();
        Assert.Contains("closed the connection", Failure(inbox).Message, StringComparison.Ordinal);
        End(pair, inbox);
    }

    private static void Send(SocketPair pair, params ReadOnlySpan<ColoMessage> words)
    {
        byte[] bytes = new byte[words.Length * ColoMessageCodec.SizeBytes];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * ColoMessageCodec.SizeBytes), (uint)words[i]);
        pair.There.Send(bytes);
    }

    private static void SendReply(SocketPair pair, ColoFeatures accepted)
    {
        using ChannelBuffer buffer = new();
        new ConfigurationReply(accepted, 5).Write(buffer);
        pair.There.Send(buffer.WrittenSpan);
    }

    private static ColoMessage Take(ReturnInbox inbox)
    {
        ColoMessage word = default;
        Wait(inbox, () => inbox.TryTake(out word));
        return word;
    }

    private static LinkException Failure(ReturnInbox inbox)
    {
        Wait(inbox, () => inbox.Failure is not null);
        return inbox.Failure!;
    }

    private static void Wait(ReturnInbox inbox, Func<bool> condition)
    {
        while (true)
        {
            inbox.Signal.Reset();
            if (condition())
                return;
            Assert.True(inbox.Signal.Wait(TimeSpan.FromSeconds(30)), "nothing arrived");
        }
    }

    // The inbox waits for its thread, and that one for the link.
    private static void End(SocketPair pair, ReturnInbox inbox)
    {
        pair.Here.Shutdown();
        inbox.Dispose();
    }
}
