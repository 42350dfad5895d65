namespace Kvm.Colo.Machine;

/// <summary>What a guest's panic does (QAPI PanicAction, in its order).</summary>
internal enum PanicAction
{
    /// <summary>The guest stays as it is, for a look at it.</summary>
    Pause,

    /// <summary>The machine ends; where it is kept after a guest's shutdown, it pauses instead.</summary>
    Shutdown,

    /// <summary>The machine ends with exit status 1.</summary>
    ExitFailure,

    /// <summary>The guest goes on; it may have a crash kernel.</summary>
    None,
}
