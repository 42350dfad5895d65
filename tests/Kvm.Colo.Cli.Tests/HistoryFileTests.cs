using Kvm.Colo.Cli.Monitor;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public sealed class HistoryFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-history-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WhatWasTyped_ComesBack_ForItsOwnerOnly()
    {
        string path = Path.Combine(_folder, "state", "qmp-history");
        HistoryFile file = new(path);
        Assert.Empty(file.Load());
        LineBuffer buffer = new(file.Load());
        foreach (string line in (string[])["stop", "cont", "cont"])
        {
            buffer.Insert(line);
            buffer.Accept();
        }

        file.Save(buffer.History);
        Assert.Equal(["stop", "cont"], file.Load());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));

        LineBuffer next = new(file.Load());
        next.Older();
        next.Older();
        Assert.Equal("stop", next.Text);
    }

    [Fact]
    public void OfTooMany_TheNewestStay()
    {
        LineBuffer buffer = new(Enumerable.Range(0, 1000).Select(static i => $"line {i}"));
        Assert.Equal(LineBuffer.MaxHistory, buffer.History.Count);
        buffer.Older();
        Assert.Equal("line 999", buffer.Text);
    }

    [Fact]
    public void FileThatCannotBeKept_IsNoReasonToFail()
    {
        string path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "");
        new HistoryFile(Path.Combine(path, "below", "history")).Save(["x"]);
        Assert.Empty(new HistoryFile(Path.Combine(path, "below", "history")).Load());
    }
}
