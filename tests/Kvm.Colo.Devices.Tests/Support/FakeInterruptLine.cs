namespace Kvm.Colo.Devices.Tests.Support;

/// <summary>Remembers the level and counts rising edges.</summary>
internal sealed class FakeInterruptLine : IInterruptLine
{
    public bool Level { get; private set; }

    public int RisingEdges { get; private set; }

    public int Calls { get; private set; }

    public void Set(bool level)
    {
        Calls++;
        if (level && !Level)
            RisingEdges++;
        Level = level;
    }
}
