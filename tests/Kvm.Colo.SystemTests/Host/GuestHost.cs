using System.Globalization;
using System.Text;
using Kvm.Colo.Machine;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.SystemTests.Support;
using Microsoft.Win32.SafeHandles;

namespace Kvm.Colo.SystemTests.Host;

/// <summary>
/// One machine, led by lines on standard input. Every line of standard output begins with a letter: C a piece of the console in
/// base64, E an event, A the answer to a command ("ok" or why not). It ends when its input does, so no host outlives its test.
/// </summary>
internal sealed class GuestHost : IDisposable
{
    private readonly Lock _outputLock = new();
    private readonly StreamReader _input = new(new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0));
    private readonly FileStream _output = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    private TestMachine? _machine;

    public int Serve()
    {
        Say('A', "ready");
        while (_input.ReadLine() is { } line)
        {
            string answer;
            try
            {
                answer = Execute(line.Split(' ', 2));
            }
            catch (Exception e)
            {
                answer = $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
            }

            Say('A', answer);
        }

        return 0;
    }

    public void Dispose()
    {
        _machine?.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    private TestMachine Machine => _machine ?? throw new InvalidOperationException("create first");

    private string Execute(string[] words)
    {
        string argument = words.Length > 1 ? words[1] : "";
        switch (words[0])
        {
            case "create":
                Create(argument.Split(' ', 4));
                break;
            case "start":
                Machine.Machine.Start();
                break;
            case "listen":
                Machine.Migration.Listen(Uri(argument), keepListening: false);
                break;
            case "protect":
                Machine.Migration.Protect(Uri(argument));
                break;
            case "migrate":
                Machine.Migration.Migrate(Uri(argument));
                break;
            case "lost-heartbeat":
                Machine.Migration.LostHeartbeat();
                break;
            case "state":
                return Machine.Machine.State.Name();
            default:
                throw new InvalidOperationException($"unknown command {words[0]}");
        }

        return "ok";
    }

    // IMAGE|- MEMORY-MIB CHECKPOINT-DELAY-MS [COMMAND LINE]
    private void Create(string[] words)
    {
        bool incoming = words[0] == "-";
        ulong memoryMiB = ulong.Parse(words[1], CultureInfo.InvariantCulture);
        TestMachine machine = new(incoming ? null : words[0], words.Length > 3 ? words[3] : "", memoryMiB, incoming: incoming);
        machine.Migration.Settings.CheckpointDelayMs = int.Parse(words[2], CultureInfo.InvariantCulture);
        machine.Console.OnWrite = text => Say('C', Convert.ToBase64String(Encoding.Latin1.GetBytes(text)));
        machine.Recorder.OnEvent = text => Say('E', text.ReplaceLineEndings(" "));
        _machine = machine;
    }

    private static MigrationUri Uri(string text) =>
        MigrationUri.TryParse(text, out MigrationUri? uri, out string? problem) ? uri! : throw new ArgumentException(problem);

    private void Say(char kind, string text)
    {
        byte[] line = Encoding.UTF8.GetBytes($"{kind}{text}\n");
        lock (_outputLock)
            _output.Write(line);
    }
}
