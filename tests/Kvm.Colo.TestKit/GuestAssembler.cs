using System.Collections.Concurrent;

namespace Kvm.Colo.TestKit;

/// <summary>Assembles tiny guests with the host's cc and objcopy; each source once per process.</summary>
internal static class GuestAssembler
{
    private static readonly ConcurrentDictionary<(string Source, ulong Origin), byte[]> s_cache = new();

    /// <summary>The bytes of <paramref name="source"/> (GNU syntax, starts in 64-bit mode; say <c>.code16</c> for real mode).</summary>
    /// <param name="source">Assembly text.</param>
    /// <param name="origin">The guest address its first byte is loaded at.</param>
    /// <exception cref="InvalidOperationException">A tool is missing or refused the source.</exception>
    public static byte[] Assemble(string source, ulong origin) =>
        s_cache.GetOrAdd((source, origin), static key => Build(key.Source, key.Origin));

    private static byte[] Build(string source, ulong origin)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("colo-guest-");
        try
        {
            string elf = Path.Combine(folder.FullName, "guest.elf");
            string binary = Path.Combine(folder.FullName, "guest.bin");
            Check(Tool.Run("cc", ["-nostdlib", "-static", "-no-pie", $"-Wl,-Ttext=0x{origin:x},-e,0x{origin:x},--build-id=none", "-x", "assembler",
                "-o", elf, "-"], source + "\n"));
            Check(Tool.Run("objcopy", ["-O", "binary", "-j", ".text", elf, binary]));
            return File.ReadAllBytes(binary);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Check(ToolResult result)
    {
        if (result.ExitCode != 0)
            throw new InvalidOperationException(result.Error);
    }
}
