using System.IO.Pipes;
using Kvm.Colo.Devices.Serial;
using Kvm.Colo.Devices.Tests.Support;

namespace Kvm.Colo.Devices.Tests.Serial;

public class StreamSerialBackendTests
{
    private readonly CountingLogger _logger = new();

    [Fact]
    public void Dispose_TwiceIsHarmless()
    {
        StreamSerialBackend backend = new(new MemoryStream(), new MemoryStream(), _logger);
        backend.Start(new CollectingInput(1), static () => { });

        backend.Dispose();
        backend.Dispose();
    }

    [Fact]
    public void File_GetsEveryByteInOrder()
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] expected = new byte[300_000];
            new Random(1).NextBytes(expected);
            using (StreamSerialBackend backend = StreamSerialBackend.CreateFile(path, _logger))
            {
                using AutoResetEvent ready = new(initialState: false);
                backend.Start(new CollectingInput(0), () => ready.Set());
                for (ReadOnlySpan<byte> rest = expected; !rest.IsEmpty;)
                {
                    rest = rest[backend.TryWrite(rest)..];
                    if (!rest.IsEmpty)
                        Assert.True(ready.WaitOne(CollectingInput.Deadline));
                }

                Assert.True(backend.Flush(CollectingInput.Deadline));
                Assert.Equal(0, backend.DroppedBytes);
            }

            Assert.Equal(expected, File.ReadAllBytes(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Input_IsReadNoFurtherThanTheReceiverTakes()
    {
        using AnonymousPipeServerStream keyboard = new(PipeDirection.Out);
        AnonymousPipeClientStream input = new(PipeDirection.In, keyboard.ClientSafePipeHandle);
        CollectingInput receiver = new(5);
        using StreamSerialBackend backend = new(input, new MemoryStream(), _logger);
        backend.Start(receiver, static () => { });
        keyboard.Write("0123456789"u8);
        Assert.Equal("01234", receiver.WaitFor(5));
        receiver.Raise(10);
        backend.ResumeInput();
        Assert.Equal("0123456789", receiver.WaitFor(10));
        keyboard.Dispose();
    }

    [Fact]
    public void Output_IsBounded_WhileTheHostDoesNotTakeIt()
    {
        using BlockedStream blocked = new();
        using StreamSerialBackend backend = new(input: null, blocked, _logger);
        backend.Start(new CollectingInput(0), static () => { });
        int accepted = 0;
        int taken;
        while ((taken = backend.TryWrite(new byte[10_000])) > 0)
            accepted += taken;
        Assert.Equal(SerialWriteQueue.CapacityBytes, accepted);
        Assert.False(backend.Flush(TimeSpan.Zero));
        blocked.Release();
        Assert.True(backend.Flush(CollectingInput.Deadline));
    }

    [Fact]
    public void FailedWrites_AreCounted_AndReportedOnce()
    {
        MemoryStream closed = new();
        closed.Dispose();
        using StreamSerialBackend backend = new(input: null, closed, _logger);
        backend.Start(new CollectingInput(0), static () => { });
        backend.TryWrite("ab"u8);
        Assert.True(backend.Flush(CollectingInput.Deadline));
        backend.TryWrite("c"u8);
        Assert.True(backend.Flush(CollectingInput.Deadline));
        Assert.Equal(3, backend.DroppedBytes);
        Assert.Single(_logger.Lines);
    }

    [Fact]
    public void CreateFile_SaysWhy_WhenItCannot()
    {
        SerialBackendException e = Assert.Throws<SerialBackendException>(
            () => StreamSerialBackend.CreateFile("/proc/nothing/here", _logger));
        Assert.Contains("/proc/nothing/here", e.Message, StringComparison.Ordinal);
    }

    private sealed class BlockedStream : MemoryStream
    {
        private readonly ManualResetEventSlim _release = new(initialState: false);

        public void Release() => _release.Set();

        public override void Write(ReadOnlySpan<byte> buffer) => Assert.True(_release.Wait(CollectingInput.Deadline));
    }
}
