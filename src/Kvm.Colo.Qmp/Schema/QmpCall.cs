using System.Text.Json;
using Kvm.Colo.Qmp.Hosting;

namespace Kvm.Colo.Qmp.Schema;

/// <summary>One execution of a command: the host, and the arguments after validation.</summary>
internal sealed class QmpCall(QmpServer server, QmpValues values, JsonElement arguments)
{
    public QmpServer Server => server;

    public IQmpHost Host => server.Host;

    public QmpValues Values => values;

    /// <summary>
    /// The arguments as sent, for the commands that take members the schema does not list; undefined when none.
    /// </summary>
    public JsonElement Arguments => arguments;
}
