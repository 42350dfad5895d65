using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>The program itself, given what it cannot use: one line that names it, and exit status 2.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class CommandLineTests : IDisposable
{
    private const int WrongUsage = 2;
    private readonly string _folder = Directory.CreateTempSubdirectory("colo-line-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [KvmTheory]
    [InlineData("missing", "does not exist")]
    [InlineData("directory", "is a directory")]
    [InlineData("empty", "empty (make it with: truncate -s 1G FILE)")]
    [InlineData("odd", "1000 bytes are no whole number of 512-byte sectors (is it a raw image?)")]
    [InlineData("device", "neither a regular file nor a block device")]
    [InlineData("locked", "in use by another VM (stop that VM, or give both readonly=on)")]
    [InlineData("unreadable", "may not be read and written (check its owner and mode, or use readonly=on)")]
    public void Disk_ThatCannotBeUsed(string what, string expected)
    {
        string path = what == "device" ? "/dev/null" : Path.Combine(_folder, what);
        if (what == "directory")
            Directory.CreateDirectory(path);
        else if (what is not ("missing" or "device"))
            File.WriteAllBytes(path, new byte[what switch { "empty" => 0, "odd" => 1000, _ => 4096 }]);
        if (what == "unreadable")
            File.SetUnixFileMode(path, UnixFileMode.None);

        using FileStream? user = what == "locked" ? new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite) : null;
        user?.Lock(0, 1 << 20);
        AssertRefused(path, expected, "--disk", $"file={path},id=disk0");
    }

    [KvmTheory]
    [InlineData("lo", "exists and is not a single-queue tap")]
    [InlineData("colotap9", "does not exist and may not be made without CAP_NET_ADMIN (ip tuntap add colotap9 mode tap user USER)")]
    public void Tap_ThatCannotBeUsed(string name, string expected) => AssertRefused(name, expected, "--net", $"tap,ifname={name},id=net0");

    [KvmTheory]
    [InlineData("--kernel")]
    [InlineData("--initrd")]
    public void Image_ThatIsMissing(string option)
    {
        string missing = Path.Combine(_folder, "missing");
        AssertRefused("Could not find file", $"'{missing}'.", option, missing);
    }

    // Root passes by the modes of files and may make taps, so the program runs without those rights.
    private void AssertRefused(string names, string expected, params string[] options)
    {
        string kernel = Path.Combine(_folder, "kernel");
        byte[] sector = new byte[512];
        (sector[510], sector[511]) = (0x55, 0xAA);
        File.WriteAllBytes(kernel, sector);
        string[] boot = options[0] == "--kernel" ? [] : ["--kernel", kernel];
        ToolResult result = Tool.Run("setpriv",
        [
            "--inh-caps=-all", "--bounding-set=-net_admin,-dac_override,-dac_read_search",
            "dotnet", Path.Combine(AppContext.BaseDirectory, "colo-vm.dll"), "run", .. boot, "--memory", "16M", "--serial", "null", .. options,
        ]);
        Assert.Equal(WrongUsage, result.ExitCode);
        Assert.Empty(result.Output);
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(names, line, StringComparison.Ordinal);
        Assert.EndsWith(expected, line, StringComparison.Ordinal);
    }
}
