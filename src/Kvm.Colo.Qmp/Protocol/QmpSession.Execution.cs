using System.Text.Json;
using Kvm.Colo.Qmp.Schema;

namespace Kvm.Colo.Qmp.Protocol;

/// <summary>From a request to its reply.</summary>
internal sealed partial class QmpSession
{
    /// <summary>Runs an in-band request and returns when its reply is queued, or the session is closing.</summary>
    private void Run(QmpRequest request)
    {
        if (!TryPrepare(request, out QmpCommand? command, out QmpCall? call))
        {
            request.Dispose();
            return;
        }
        if (command.Thread != QmpCommandThread.ControlLoop)
        {
            Execute(request, command, call);
            return;
        }

        bool isDone = false;
        bool isPosted = _server.Host.TryPost(() =>
        {
            // The reply is queued here, so that no later event can come before it.
            Execute(request, command, call);
            lock (_queueLock)
            {
                isDone = true;
                Monitor.PulseAll(_queueLock);
            }
        });
        if (!isPosted)
        {
            _outbox.AddReply(QmpReply.Error(request, QmpErrorClass.GenericError, "The virtual machine has ended"));
            request.Dispose();
            return;
        }
        lock (_queueLock)
        {
            while (!isDone && !_isClosing)
                Monitor.Wait(_queueLock);
        }
    }

    private void RunOutOfBand(QmpRequest request)
    {
        if (TryPrepare(request, out QmpCommand? command, out QmpCall? call))
            Execute(request, command, call);
        else
            request.Dispose();
    }

    private void Execute(QmpRequest request, QmpCommand command, QmpCall call)
    {
        byte[] reply;
        try
        {
            reply = QmpReply.Return(request, (command, call), static (writer, pair) => pair.command.Execute(pair.call, writer));
        }
        catch (QmpCommandException refusal)
        {
            reply = QmpReply.Error(request, refusal.ErrorClass, refusal.Message);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _options.Log?.Invoke($"{Name}: {command.Name} failed: {failure}");
            reply = QmpReply.Error(request, QmpErrorClass.GenericError, $"{command.Name} failed: {failure.Message}");
        }
        _outbox.AddReply(reply);
        request.Dispose();
    }

    /// <summary>Everything that is checked before a command runs; a refusal is answered here.</summary>
    private bool TryPrepare(QmpRequest request, out QmpCommand command, out QmpCall call)
    {
        try
        {
            (command, JsonElement arguments) = Check(request);
            QmpValues values = command.ReadArguments(arguments);
            call = new QmpCall(_server, values, arguments);
            if (ReferenceEquals(command, QmpServer.Negotiate))
            {
                Negotiate(request, call);
                return false;
            }
            return true;
        }
        catch (QmpCommandException refusal)
        {
            _outbox.AddReply(QmpReply.Error(request, refusal.ErrorClass, refusal.Message));
            command = null!;
            call = null!;
            return false;
        }
    }

    private void Negotiate(QmpRequest request, QmpCall call)
    {
        byte[] reply = QmpReply.Return(request, (QmpServer.Negotiate, call),
            static (writer, pair) => pair.Negotiate.Execute(pair.call, writer));
        _isOutOfBandEnabled = Commands.ServerCommands.EnablesOutOfBand(call);
        _isNegotiated = true;
        _server.MonitorsChanged();

        // Every event from the moment the client can read this on is sent to it, and none before.
        _outbox.AddReply(reply, opensEvents: true);
    }

    private (QmpCommand Command, JsonElement Arguments) Check(QmpRequest request)
    {
        if (request.SyntaxError is { } error)
            throw new QmpCommandException(error);
        if (request.Root.ValueKind != JsonValueKind.Object)
            throw new QmpCommandException("QMP input must be a JSON object");

        string? name = null;
        string? member = null;
        JsonElement arguments = default;
        foreach (JsonProperty property in request.Root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "execute":
                case "exec-oob" when _isOutOfBandEnabled:
                    if (property.Value.ValueKind != JsonValueKind.String)
                        throw new QmpCommandException($"QMP input member '{property.Name}' must be a string");
                    if (member is not null)
                        throw new QmpCommandException("QMP input member 'execute' clashes with 'exec-oob'");
                    (member, name) = (property.Name, property.Value.GetString());
                    break;
                case "arguments":
                    if (property.Value.ValueKind != JsonValueKind.Object)
                        throw new QmpCommandException("QMP input member 'arguments' must be an object");
                    arguments = property.Value;
                    break;
                case "id":
                    break;
                default:
                    throw new QmpCommandException($"QMP input member '{property.Name}' is unexpected");
            }
        }
        if (name is null)
            throw new QmpCommandException("QMP input lacks member 'execute'");

        QmpCommand? command = _server.Schema.Find(name);
        bool isNegotiation = ReferenceEquals(command, QmpServer.Negotiate);
        if (!_isNegotiated && !isNegotiation)
        {
            throw new QmpCommandException(
                QmpErrorClass.CommandNotFound, "Expecting capabilities negotiation with 'qmp_capabilities'");
        }
        if (command is null)
            throw new QmpCommandException(QmpErrorClass.CommandNotFound, $"The command {name} has not been found");
        if (_isNegotiated && isNegotiation)
        {
            throw new QmpCommandException(
                QmpErrorClass.CommandNotFound, "Capabilities negotiation is already complete, command ignored");
        }
        if (member == "exec-oob" && !command.AllowsOutOfBand)
            throw new QmpCommandException($"The command {name} does not support OOB");
        return (command, arguments);
    }
}
