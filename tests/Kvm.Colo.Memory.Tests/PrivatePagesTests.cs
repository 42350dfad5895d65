using Xunit;

namespace Kvm.Colo.Memory.Tests;

public sealed class PrivatePagesTests : IDisposable
{
    private const int Pages = 512;

    private readonly GuestMemory _memory = GuestMemory.CreateReplica(Pages << 12);
    private readonly PrivatePages _private;
    private readonly PageBitmap _changed = new(Pages);

    public PrivatePagesTests() => _private = new PrivatePages(_memory);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reconcile_MakesEveryPageTheCommittedOne(int seed)
    {
        Random random = new(seed);
        for (int epoch = 0; epoch < 200; epoch++)
        {
            for (int i = random.Next(200); i > 0; i--)
                GuestWrites((ulong)random.Next(Pages / (1 + epoch % 3)), (byte)random.Next());
            for (int i = random.Next(100); i > 0; i--)
                EpochChanges((ulong)random.Next(Pages), (byte)random.Next());
            InterruptedFault((ulong)random.Next(Pages));

            Reconcile();

            for (ulong page = 0; page < Pages; page++)
                Assert.True(_memory.Page(page).SequenceEqual(_memory.CommittedPage(page)), $"epoch {epoch}, page {page}");
        }
    }

    [Fact]
    public void APageWrittenEpochAfterEpoch_StaysPrivate()
    {
        for (byte epoch = 1; epoch <= 2; epoch++)
        {
            GuestWrites(5, epoch);
            EpochChanges(5, (byte)(epoch + 100));
            Reconcile();
        }

        _memory.CommittedPageForWrite(5)[0] = 77;
        Assert.Equal(102, _memory.Page(5)[0]);
    }

    [Fact]
    public void APrivatePageThatIsNotWrittenAgain_IsGivenBack()
    {
        for (byte epoch = 1; epoch <= 2; epoch++)
        {
            GuestWrites(5, epoch);
            Reconcile();
        }

        Reconcile();

        _memory.CommittedPageForWrite(5)[0] = 77;
        Assert.Equal(77, _memory.Page(5)[0]);
    }

    [Fact]
    public void WhatKvmWritesWithoutTheGuest_IsTakenBack()
    {
        for (byte epoch = 1; epoch <= 2; epoch++)
        {
            GuestWrites(5, epoch);
            Reconcile();
        }

        GuestWrites(5, 99);
        GuestWrites(6, 99);
        _private.Written.TakeFrom(_memory.DeviceDirty);
        _private.TakeBack();

        Assert.True(_memory.Page(5).SequenceEqual(_memory.CommittedPage(5)));
        Assert.True(_memory.Page(6).SequenceEqual(_memory.CommittedPage(6)));
        Assert.Equal(0ul, _private.Written.CountSet());
    }

    public void Dispose()
    {
        _private.Dispose();
        _changed.Dispose();
        _memory.Dispose();
    }

    private void Reconcile()
    {
        _private.Written.TakeFrom(_memory.DeviceDirty);
        _private.Reconcile(_changed);
        _changed.ClearAll();
    }

    private void GuestWrites(ulong page, byte value) => Assert.True(_memory.TryWrite(new GuestPhysicalAddress(page << 12), value));

    private void EpochChanges(ulong page, byte value)
    {
        _memory.CommittedPageForWrite(page)[0] = value;
        _changed.Mark(page);
    }

    // A private copy nobody marked, which equals the committed page.
    private void InterruptedFault(ulong page)
    {
        if (!_changed.IsSet(page) && !_memory.DeviceDirty.IsSet(page))
            _memory.RestorePrivatePage(page);
    }
}
