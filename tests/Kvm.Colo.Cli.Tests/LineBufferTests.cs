using Kvm.Colo.Cli.Monitor;
using Xunit;

namespace Kvm.Colo.Cli.Tests;

public class LineBufferTests
{
    private readonly LineBuffer _line = new();

    [Fact]
    public void Editing_MovesTheCursor()
    {
        _line.Insert("hello");
        _line.MoveTo(1);
        _line.Delete();
        _line.Insert("a");
        _line.MoveTo(100);
        _line.Backspace();
        _line.MoveTo(-1);
        _line.Backspace();

        Assert.Equal("hall", _line.Text);
        Assert.Equal(0, _line.Cursor);
    }

    [Fact]
    public void DeleteWord_TakesTheSpacesBehindIt()
    {
        _line.Insert("one two  ");

        _line.DeleteWord();

        Assert.Equal("one ", _line.Text);
    }

    [Fact]
    public void DeleteToStartAndEnd_KeepTheRest()
    {
        _line.Insert("abcdef");
        _line.MoveTo(4);
        _line.DeleteToEnd();
        _line.MoveTo(1);
        _line.DeleteToStart();

        Assert.Equal("bcd", _line.Text);
    }

    [Fact]
    public void History_ComesBackAndGivesTheDraftAgain()
    {
        foreach (string text in (string[])["one", "two", "two", " "])
        {
            _line.Insert(text);
            _line.Accept();
        }

        _line.Insert("draft");
        _line.Older();
        Assert.Equal("two", _line.Text);
        _line.Older();
        Assert.Equal("one", _line.Text);
        _line.Older();
        Assert.Equal("one", _line.Text);
        _line.Newer();
        _line.Newer();
        Assert.Equal("draft", _line.Text);
        _line.Newer();
        Assert.Equal("draft", _line.Text);
    }
}
