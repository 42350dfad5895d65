namespace Kvm.Colo.Machine;

/// <summary>What vCPUs ask of their machine; a set, so that a guest that asks a million times costs no memory.</summary>
[Flags]
internal enum GuestRequests : uint
{
    None = 0,

    /// <summary>The guest reported a panic.</summary>
    Panic = 1,

    /// <summary>KVM cannot go on.</summary>
    Failure = 2,

    /// <summary>The guest switched itself off.</summary>
    Off = 4,

    /// <summary>The guest asked for a reset, or crashed so hard that the processor does.</summary>
    Reset = 8,

    /// <summary>The guest has crashed and hands over to its crash kernel.</summary>
    CrashLoaded = 16,
}
