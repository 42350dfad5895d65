using Kvm.Colo.Qmp.Migration;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>Capabilities and parameters: defaults, ranges, refusals; all or nothing.</summary>
public sealed class MigrationSettingsTests : IDisposable
{
    private readonly ServerFixture _fixture = new();
    private readonly RawClient _client;

    public MigrationSettingsTests() => _client = _fixture.Negotiated();

    public void Dispose()
    {
        _client.Dispose();
        _fixture.Dispose();
    }

    [Fact]
    public void Defaults_AreQemus() => Assert.Equal(
        """{"return":{"announce-initial":50,"announce-max":550,"announce-rounds":5,"announce-step":100,"""
        + "\"throttle-trigger-threshold\":50,\"cpu-throttle-initial\":20,\"cpu-throttle-increment\":10,\"cpu-throttle-tailslow\":false,"
        + "\"tls-creds\":\"\",\"tls-hostname\":\"\",\"tls-authz\":\"\",\"max-bandwidth\":134217728,\"avail-switchover-bandwidth\":0,"
        + "\"downtime-limit\":300,\"x-checkpoint-delay\":20000,\"x-colo-strict-pause\":false,\"__org.colo-vm_heartbeat-timeout\":1000,"
        + "\"__org.colo-vm_verify-checkpoints\":false,\"__org.colo-vm_commit-limit\":1000,\"__org.colo-vm_output-delay\":1,\"__org.colo-vm_copy-ahead\":true,"
        + "\"__org.colo-vm_page-hashes\":true,\"__org.colo-vm_in-time\":true,\"__org.colo-vm_pre-send\":false,\"__org.colo-vm_delta-cache-size\":268435456,\"__org.colo-vm_keep-hot-pages\":true,"
        + "\"multifd-channels\":2,"
        + "\"multifd-compression\":\"none\",\"multifd-zlib-level\":1,\"multifd-qatzip-level\":1,\"multifd-zstd-level\":1,"
        + "\"xbzrle-cache-size\":67108864,\"max-postcopy-bandwidth\":0,\"max-cpu-throttle\":99,\"x-vcpu-dirty-limit-period\":1000,"
        + "\"vcpu-dirty-limit\":1,\"mode\":\"normal\",\"zero-page-detection\":\"multifd\",\"direct-io\":false}}",
        _client.Ask("""{"execute":"query-migrate-parameters"}"""));

    [Theory]
    [InlineData("\"downtime-limit\":\"a\"", "Parameter 'downtime-limit' expects uint64")]
    [InlineData("\"downtime-limit\":-1", "Parameter 'downtime-limit' expects an integer in the range of 0 to 2000000 ms")]
    [InlineData("\"downtime-limit\":2000001", "Parameter 'downtime-limit' expects an integer in the range of 0 to 2000000 ms")]
    [InlineData("\"multifd-channels\":300", "Parameter 'multifd-channels' expects uint8_t")]
    [InlineData("\"multifd-channels\":0", "Parameter 'multifd-channels' expects a value between 1 and 255")]
    [InlineData("\"cpu-throttle-initial\":0", "Parameter 'cpu-throttle-initial' expects an integer in the range of 1 to 99")]
    [InlineData("\"cpu-throttle-increment\":100",
        "Parameter 'cpu-throttle-increment' expects an integer in the range of 1 to 99")]
    [InlineData("\"max-cpu-throttle\":19",
        "Parameter 'max-cpu-throttle' expects an integer in the range of cpu_throttle_initial to 99")]
    [InlineData("\"cpu-throttle-initial\":80,\"max-cpu-throttle\":79",
        "Parameter 'max-cpu-throttle' expects an integer in the range of cpu_throttle_initial to 99")]
    [InlineData("\"xbzrle-cache-size\":5",
        "Parameter 'xbzrle-cache-size' expects a power of two no less than the target page size")]
    [InlineData("\"multifd-zlib-level\":10", "Parameter 'multifd-zlib-level' expects a value between 0 and 9")]
    [InlineData("\"multifd-zstd-level\":21", "Parameter 'multifd-zstd-level' expects a value between 0 and 20")]
    [InlineData("\"multifd-qatzip-level\":0", "Parameter 'multifd-qatzip-level' expects a value between 1 and 9")]
    [InlineData("\"announce-initial\":100001", "Parameter 'announce-initial' expects a value between 0 and 100000")]
    [InlineData("\"announce-rounds\":1001", "Parameter 'announce-rounds' expects a value between 0 and 1000")]
    [InlineData("\"announce-step\":10001", "Parameter 'announce-step' expects a value between 1 and 10000")]
    [InlineData("\"throttle-trigger-threshold\":0",
        "Parameter 'throttle-trigger-threshold' expects an integer in the range of 1 to 100")]
    [InlineData("\"max-bandwidth\":1.5", "Parameter 'max-bandwidth' expects uint64")]
    [InlineData("\"x-checkpoint-delay\":-4", "Parameter 'x-checkpoint-delay' expects uint32_t")]
    [InlineData("\"x-checkpoint-delay\":4294967296", "Parameter 'x-checkpoint-delay' expects uint32_t")]
    [InlineData("\"x-vcpu-dirty-limit-period\":0", "Parameter 'x-vcpu-dirty-limit-period' expects a value between 1 and 1000")]
    [InlineData("\"multifd-compression\":\"foo\"", "Parameter 'multifd-compression' does not accept value 'foo'")]
    [InlineData("\"multifd-compression\":\"zlib\"", "Parameter 'multifd-compression' does not accept value 'zlib'")]
    [InlineData("\"mode\":\"cpr-reboot\"", "Parameter 'mode' does not accept value 'cpr-reboot'")]
    [InlineData("\"tls-creds\":1", "Invalid parameter type for 'tls-creds', expected: StrOrNull")]
    [InlineData("\"tls-creds\":\"x\"", "TLS is not supported for migration")]
    public void ParameterOutOfRange_IsRefused_AndNothingElseIsSet(string argument, string error)
    {
        string before = _client.Ask("""{"execute":"query-migrate-parameters"}""");
        Assert.Equal($$$"""{"error":{"class":"GenericError","desc":"{{{error}}}"}}""",
            _client.Ask($$$"""{"execute":"migrate-set-parameters","arguments":{"announce-max":7,{{{argument}}}}}"""));
        Assert.Equal(before, _client.Ask("""{"execute":"query-migrate-parameters"}"""));
    }

    [Fact]
    public void Parameters_AreSetTogether_AndTold()
    {
        int told = 0;
        _fixture.Host.Settings.ParametersChanged += (_, _) => told++;
        Assert.Equal("""{"return":{}}""", _client.Ask(
            """{"execute":"migrate-set-parameters","arguments":{"x-checkpoint-delay":50,"x-colo-strict-pause":true,"tls-creds":null,"max-bandwidth":0}}"""));
        MigrationSettings settings = _fixture.Host.Settings;
        Assert.Equal((TimeSpan.FromMilliseconds(50), true, 0UL, 1),
            (settings.CheckpointDelay, settings.StrictPause, settings.MaxBandwidth, told));
    }

    [Theory]
    [InlineData("x-colo postcopy-ram", "COLO is not compatible with postcopy")]
    [InlineData("postcopy-ram x-ignore-shared", "Postcopy is not compatible with ignore-shared")]
    [InlineData("background-snapshot x-colo", "Background-snapshot is not compatible with x-colo")]
    [InlineData("background-snapshot return-path", "Background-snapshot is not compatible with return-path")]
    [InlineData("zero-copy-send", "Zero copy only available for non-compressed non-TLS multifd migration")]
    [InlineData("postcopy-preempt", "Postcopy preempt requires postcopy-ram")]
    [InlineData("multifd xbzrle", "Multifd is not compatible with xbzrle")]
    [InlineData("switchover-ack", "Capability 'switchover-ack' requires capability 'return-path'")]
    [InlineData("dirty-limit auto-converge", "dirty-limit conflicts with auto-converge, only one of them is available")]
    [InlineData("mapped-ram xbzrle", "Mapped-ram migration is incompatible with xbzrle")]
    [InlineData("rdma-pin-all", "Capability 'rdma-pin-all' is not supported")]
    public void CapabilitiesThatDoNotGoTogether_AreRefusedAsOne(string names, string error)
    {
        Assert.Equal($$$"""{"error":{"class":"GenericError","desc":"{{{error}}}"}}""", Set("events " + names));
        Assert.All(_fixture.Host.Settings.ListCapabilities(), each => Assert.False(each.State));
    }

    [Theory]
    [InlineData("x-colo events return-path multifd")]
    [InlineData("zero-copy-send multifd")]
    [InlineData("postcopy-ram postcopy-preempt")]
    [InlineData("mapped-ram multifd")]
    public void CapabilitiesThatGoTogether_AreSet(string names)
    {
        Assert.Equal("""{"return":{}}""", Set(names));
        Assert.Equal(names.Split(' ').Length, _fixture.Host.Settings.ListCapabilities().Count(each => each.State));
    }

    [Fact]
    public void Capabilities_AreAllListed()
    {
        string listed = _client.Ask("""{"execute":"query-migrate-capabilities"}""");
        Assert.StartsWith("""{"return":[{"capability":"xbzrle","state":false},{"capability":"rdma-pin-all","state":false},""", listed, StringComparison.Ordinal);
        Assert.EndsWith("""{"capability":"mapped-ram","state":false}]}""", listed, StringComparison.Ordinal);
    }

    [Fact]
    public void Capabilities_AreRefusedDuringAMigration_ParametersAreNot()
    {
        _fixture.Host.InProgress = true;
        Assert.Equal("""{"error":{"class":"GenericError","desc":"There's a migration process in progress"}}""", Set("events"));
        Assert.Equal("""{"return":{}}""", _client.Ask("""{"execute":"migrate-set-parameters","arguments":{"x-checkpoint-delay":10}}"""));
    }

    private string Set(string names)
    {
        string list = string.Join(',', names.Split(' ').Select(name => $$"""{"capability":"{{name}}","state":true}"""));
        return _client.Ask($$$"""{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{{{list}}}]}}""");
    }
}
