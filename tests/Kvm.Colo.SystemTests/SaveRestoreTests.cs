using System.Text;
using System.Text.Json;
using Kvm.Colo.Machine;
using Kvm.Colo.Machine.Loaders;
using Kvm.Colo.Memory;
using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Kvm.Colo.TestKit;
using Xunit;

namespace Kvm.Colo.SystemTests;

/// <summary>A guest moves from process to process, by file and by socket, and does not notice.</summary>
[Trait("Category", "RequiresKvm")]
public sealed class SaveRestoreTests : IDisposable
{
    private const int Hops = 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("colo-save-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [KvmTheory]
    [InlineData("chain.elf", "report=20000", "file")]
    [InlineData("heartbeat.elf", "period=10", "unix")]
    public void GuestGoesOn_ThroughTwentyProcesses(string image, string append, string transport)
    {
        StringBuilder said = new();
        HostProcess host = new();
        HostProcess next = new();
        try
        {
            host.Do($"create {image} 16 1000 {append}");
            host.Do("start");
            for (int hop = 0; hop < Hops; hop++)
            {
                host.Console.WaitForMoreLines(3);
                Move(host, next, transport, hop);
                said.Append(host.Console.Text);
                host.Dispose();
                host = next;
                next = new HostProcess();
            }

            host.Console.WaitForMoreLines(3);
            Assert.Equal("running", host.Do("state"));
            said.Append(host.Console.Text);
        }
        finally
        {
            host.Dispose();
            next.Dispose();
        }

        if (image == "chain.elf")
            Assert.True(ChainVectors.For(append).AssertUnbroken(said.ToString()) > 3 * Hops);
        else
            Assert.True(HeartbeatSequence.AssertUnbroken(said.ToString(), 10) >= 3 * Hops);
    }

    [KvmFact]
    public void PlainMigration_EndsInPostmigrateAndCannotBeRepeated()
    {
        using TestMachine source = new("chain.elf", "report=20000");
        using TestMachine target = new(null, incoming: true);
        MigrationUri uri = new(MigrationTransport.Unix, Path.Combine(_folder, "link"), 0);
        target.Migration.Listen(uri, keepListening: false);
        source.Machine.Start();
        source.Console.Said.WaitForMoreLines(3);
        source.Migration.Migrate(uri);
        source.Recorder.WaitFor("MIGRATION Completed");
        target.Recorder.WaitFor("MIGRATION Completed");
        Assert.Equal(RunState.PostMigrate, source.Machine.State);
        Assert.Equal(RunState.Running, target.Machine.State);
        Assert.Equal(1, source.Recorder.CountOf("STOP"));
        Assert.Equal(
            ["MIGRATION Setup", "MIGRATION Active", "MIGRATION Device", "MIGRATION Completed"], source.Recorder.Events);
        Assert.Equal(
            "Can't migrate the vm that was paused due to previous migration",
            Assert.Throws<MigrationException>(() => source.Migration.Migrate(uri)).Message);
        target.Console.Said.WaitForMoreLines(3);
        ChainVectors.For("report=20000").AssertUnbroken(source.Console.Text + target.Console.Text);
    }

    [KvmFact]
    public void GuestGoesOn_WithItsMemoryAbove4GiB()
    {
        const ulong MemoryMiB = (3 << 10) + 8;
        using TestMachine source = new("chain.elf", "report=20000 high=1", MemoryMiB);
        using TestMachine target = new(null, memoryMiB: MemoryMiB, incoming: true);
        MigrationUri uri = new(MigrationTransport.File, Path.Combine(_folder, "high"), 0);
        source.Machine.Start();
        source.Console.Said.WaitForMoreLines(3);
        source.Migration.Migrate(uri);
        source.Recorder.WaitFor("MIGRATION Completed");
        target.Migration.Listen(uri, keepListening: false);
        target.Recorder.WaitFor("MIGRATION Completed");
        target.Console.Said.WaitForMoreLines(3);
        Assert.Contains(" at=0x100000000\r\n", source.Console.Text, StringComparison.Ordinal);
        ChainVectors.For("report=20000").AssertUnbroken(source.Console.Text + target.Console.Text);
    }

    [KvmTheory]
    [InlineData("file", false)]
    [InlineData("unix", true)]
    public void GenerationId_ChangesWhenASavedGuestIsRestored_NotWhenItMoves(string transport, bool stays)
    {
        static MachineConfig WithId(MachineConfig config) => config with { HasGenerationId = true };
        using TestMachine source = new("chain.elf", "report=20000", adjust: WithId);
        using TestMachine target = new(null, incoming: true, adjust: WithId);
        MigrationUri uri = new(stays ? MigrationTransport.Unix : MigrationTransport.File, Path.Combine(_folder, transport), 0);
        if (stays)
            target.Migration.Listen(uri, keepListening: false);
        source.Machine.Start();
        source.Console.Said.WaitForMoreLines(3);
        source.Migration.Migrate(uri);
        source.Recorder.WaitFor("MIGRATION Completed");
        if (!stays)
            target.Migration.Listen(uri, keepListening: false);
        target.Recorder.WaitFor("MIGRATION Completed");
        target.Console.Said.WaitForMoreLines(3);

        Assert.Equal(stays, source.Machine.GenerationId == target.Machine.GenerationId);
        byte[] inMemory = new byte[16];
        Assert.True(target.Machine.Memory.TryRead(new GuestPhysicalAddress(BootLayout.VmGeneration), inMemory));
        Assert.Equal(target.Machine.GenerationId, new Guid(inMemory));
    }

    [KvmFact]
    public void StoppedGuest_ArrivesStopped()
    {
        using TestMachine source = new("chain.elf", "report=20000");
        string file = Path.Combine(_folder, "saved");
        source.Machine.Start();
        source.Console.Said.WaitForMoreLines(3);
        source.Machine.Stop();
        source.Migration.Migrate(new MigrationUri(MigrationTransport.File, file, 0));
        source.Recorder.WaitFor("MIGRATION Completed");
        using TestMachine target = new(null, incoming: true);
        target.Migration.Listen(new MigrationUri(MigrationTransport.File, file, 0), keepListening: false);
        target.Recorder.WaitFor("MIGRATION Completed");
        Assert.Equal(RunState.Paused, target.Machine.State);
        Assert.Empty(target.Console.Text);
        target.Machine.Start();
        target.Console.Said.WaitForMoreLines(3);
        ChainVectors.For("report=20000").AssertUnbroken(source.Console.Text + target.Console.Text);
    }

    [KvmFact]
    public void FailedMigration_LeavesTheGuestRunning()
    {
        using TestMachine source = new("heartbeat.elf", "period=10");
        source.Machine.Start();
        source.Console.WaitFor("heartbeat 3");
        source.Migration.Migrate(new MigrationUri(MigrationTransport.Unix, Path.Combine(_folder, "nobody"), 0));
        source.Recorder.WaitFor("MIGRATION Failed");
        Assert.Single(source.Recorder.Events, static e => e.StartsWith("message: Failed to connect to 'unix:", StringComparison.Ordinal));
        source.Console.Said.WaitForMoreLines(3);
        Assert.Equal(RunState.Running, source.Machine.State);
        HeartbeatSequence.AssertUnbroken(source.Console.Text, 10);
    }

    [KvmFact]
    public void SavedFile_HasQemusForm()
    {
        using TestMachine source = new("idle.elf", "if=0", memoryMiB: 4);
        string file = Path.Combine(_folder, "saved");
        source.Machine.Start();
        source.Console.WaitFor("idle start");
        source.Migration.Migrate(new MigrationUri(MigrationTransport.File, file, 0));
        source.Recorder.WaitFor("MIGRATION Completed");
        byte[] stream = File.ReadAllBytes(file);

        // be32 'QEVM', be32 3, configuration section 7 with the machine type, its first subsection.
        string head = "5145564d" + "00000003" + "07" + "00000009" + Convert.ToHexStringLower("colo-vm-1"u8)
            + "05" + "12" + Convert.ToHexStringLower("configuration/uuid"u8) + "00000001";
        Assert.Equal(head, Convert.ToHexStringLower(stream, 0, head.Length / 2));

        // SECTION_START, id 2, "ram", instance 0, version 4; then the list of RAM blocks: total size with flag 4, name, size.
        byte[] ram = Convert.FromHexString("01" + "00000002" + "03" + "72616d" + "00000000" + "00000004" + "0000000000400004" + "08");
        Assert.True(stream.AsSpan().IndexOf([.. ram, .. "colo.ram"u8]) > 0);

        // EOF, then the description: 6, be32 length, JSON to the end.
        int description = stream.AsSpan().LastIndexOf("{\"configuration\""u8);
        Assert.True(description > 6, "no description");
        Assert.Equal(0x06, stream[description - 5]);
        Assert.Equal(0x00, stream[description - 6]);
        Assert.Equal(stream.Length - description, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(stream.AsSpan(description - 4)));
        using JsonDocument json = JsonDocument.Parse(stream.AsMemory(description));
        Assert.Equal(4096, json.RootElement.GetProperty("page_size").GetInt32());
        Assert.Contains(
            json.RootElement.GetProperty("devices").EnumerateArray(), static device => device.GetProperty("name").GetString() == "cpu");
    }

    private void Move(HostProcess from, HostProcess to, string transport, int hop)
    {
        string uri = $"{transport}:{_folder}/hop-{hop}";
        to.Do("create - 16 1000");
        if (transport == "unix")
            to.Do($"listen {uri}");
        from.Do($"migrate {uri}");
        from.WaitForEvent("MIGRATION Completed", count: hop == 0 ? 1 : 2); // the first time it arrived there
        Assert.Equal("postmigrate", from.Do("state"));
        if (transport == "file")
            to.Do($"listen {uri}");
        to.WaitForEvent("MIGRATION Completed");
    }
}
