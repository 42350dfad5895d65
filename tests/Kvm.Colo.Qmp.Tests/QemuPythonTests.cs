using System.Diagnostics;

namespace Kvm.Colo.Qmp.Tests;

/// <summary>QEMU's own client library drives our server: negotiation, events, errors, requests in flight, out-of-band, its shell.</summary>
public sealed class QemuPythonTests : IDisposable
{
    private const string Script = """
        import asyncio, sys
        from qemu.qmp import QMPClient, ExecuteError

        async def main(address):
            client = QMPClient('test')
            await client.connect(address)
            print(await client.execute('query-status'))
            print(len(await client.execute('query-qmp-schema')) > 300)
            with client.listener(('STOP', 'RESUME')) as events:
                for command in ('stop', 'cont'):
                    await client.execute(command)
                    print((await events.get())['event'])
            for command in ('nosuch', 'query-block-jobs'):
                try:
                    await client.execute(command)
                except ExecuteError as error:
                    print(error)
            print(len(await asyncio.gather(*[client.execute('query-version') for _ in range(50)])))
            print(await client.execute('query-yank', oob=True))
            await client.disconnect()

        asyncio.run(main(sys.argv[1]))
        """;

    private readonly ServerFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [QemuPythonFact]
    [Trait("Category", "OnRequest")]
    public void Library_AcceptsUs() => Assert.Equal(
        """
        {'running': True, 'status': 'running'}
        True
        STOP
        RESUME
        The command nosuch has not been found
        this feature or command is not currently supported
        50
        [{'type': 'migration'}]

        """,
        Run(["-c", Script, _fixture.Address.Path!], ""));

    [QemuPythonFact]
    [Trait("Category", "OnRequest")]
    public void Shell_AcceptsUs()
    {
        string said = Run(["-m", "qemu.qmp.qmp_shell", _fixture.Address.Path!], "query-name\nset-action panic=none\n");
        Assert.Contains("Connected to QEMU 10.2.0", said, StringComparison.Ordinal);
        Assert.Contains("{\"return\": {\"name\": \"test\"}}", said, StringComparison.Ordinal);
        Assert.Contains("Panic = None", Assert.Single(_fixture.Host.Calls), StringComparison.Ordinal);
    }

    private static string Run(string[] arguments, string input)
    {
        using Process python = Process.Start(new ProcessStartInfo("python3", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using CancellationTokenRegistration kill = end.Token.Register(python.Kill);
        Task<string> said = python.StandardError.ReadToEndAsync();
        python.StandardInput.Write(input);
        python.StandardInput.Close();
        string output = python.StandardOutput.ReadToEnd();
        string error = said.GetAwaiter().GetResult();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, error);
        return output;
    }
}
