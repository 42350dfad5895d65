namespace Kvm.Colo.Qmp.Hosting;

/// <summary>QAPI <c>ChardevInfo</c>.</summary>
internal sealed record QmpChardev(string Label, string FileName, bool FrontendOpen);

/// <summary>QAPI <c>IOThreadInfo</c>.</summary>
internal sealed record QmpIoThread(
    string Id, long ThreadId, long PollMaxNanoseconds, long PollGrow, long PollShrink, long AioMaxBatch);
