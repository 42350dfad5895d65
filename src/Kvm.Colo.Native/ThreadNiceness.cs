namespace Kvm.Colo.Native;

/// <summary>
/// Scheduling of our own threads. Those that end a pause of the guest come before the vCPUs, which never stop wanting the CPU.
/// </summary>
internal static class ThreadNiceness
{
    /// <summary>For threads inside whose work a guest stands still.</summary>
    public const int Urgent = -10;

    /// <summary>Sets the calling thread's nice value. Without the right to it nothing changes, and nothing depends on it.</summary>
    public static void SetForThisThread(int niceValue) => _ = Shim.SetNice(Shim.ThreadId(), niceValue);
}
