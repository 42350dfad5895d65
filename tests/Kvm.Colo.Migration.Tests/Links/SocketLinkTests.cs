using Kvm.Colo.Migration.Links;
using Kvm.Colo.Migration.Tests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.Migration.Tests.Links;

public class SocketLinkTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public void Bytes_ArriveAndAreCounted()
    {
        using SocketPair pair = new();
        byte[] sent = new byte[3_000_000];
        new Random(1).NextBytes(sent);
        TestThread sender = TestThread.Start("sender", () => pair.Here.Send(sent));
        byte[] received = new byte[sent.Length];
        new LinkReader(pair.There).ReadExactly(received);
        sender.Join(s_deadline);
        Assert.Equal(sent, received);
        Assert.Equal(sent.Length, pair.Here.BytesSent);
        Assert.Equal(sent.Length, pair.There.BytesReceived);
    }

    [Fact]
    public void Receive_GivesUpAtItsDeadline()
    {
        using SocketPair pair = new();
        LinkException problem = Assert.Throws<LinkException>(() => pair.Here.Receive(new byte[8], TimeSpan.FromMilliseconds(30)));
        Assert.True(problem.IsTimeout);
        Assert.Contains("no progress in time", problem.Message, StringComparison.Ordinal);
        pair.There.Send([7]); // a deadline does not break the link
        Assert.Equal(1, pair.Here.Receive(new byte[8], s_deadline));
    }

    [Fact]
    public void Send_GivesUpAtItsDeadline_WhenNobodyReads()
    {
        using SocketPair pair = new(TimeSpan.FromMilliseconds(50));
        byte[] much = new byte[16 << 20];
        Assert.True(Assert.Throws<LinkException>(() => pair.Here.Send(much)).IsTimeout);
    }

    [Fact]
    public void Shutdown_WakesBothEnds()
    {
        using SocketPair pair = new();
        TestThread here = TestThread.Start("here", () => AssertEnds(pair.Here));
        TestThread there = TestThread.Start("there", () => AssertEnds(pair.There));
        pair.Here.Shutdown();
        here.Join(s_deadline);
        there.Join(s_deadline);
        Assert.False(Assert.Throws<LinkException>(() => pair.Here.Send([1])).IsTimeout);
        pair.Here.Shutdown(); // twice is fine
    }

    [Fact]
    public void Receive_ReturnsZero_WhenThePeerHasClosed()
    {
        using SocketPair pair = new();
        pair.There.Dispose();
        Assert.Equal(0, pair.Here.Receive(new byte[8], s_deadline));
        Assert.Throws<LinkException>(() => new LinkReader(pair.Here).Require(1));
    }

    [Fact]
    public void Send_Fails_WhenThePeerHasClosed()
    {
        using SocketPair pair = new();
        pair.There.Dispose();
        Assert.Throws<LinkException>(() => pair.Here.Send(new byte[1 << 20]));
    }

    [Fact]
    public void DisposedLink_Fails()
    {
        using SocketPair pair = new();
        pair.Here.Dispose();
        Assert.Throws<LinkException>(() => pair.Here.Send([1]));
        Assert.Throws<LinkException>(() => pair.Here.Receive(new byte[1], s_deadline));
        pair.Here.Shutdown();
    }

    private static void AssertEnds(SocketLink link)
    {
        try
        {
            Assert.Equal(0, link.Receive(new byte[8], s_deadline));
        }
        catch (LinkException e)
        {
            Assert.False(e.IsTimeout);
        }
    }
}
