using System.Text.Json;

namespace Kvm.Colo.Qmp.Hosting;

/// <summary>
/// The objects a client can look at and set: a path such as <c>/machine/cpu[0]</c>, a type name, named properties.
/// Any thread may use it; getters and setters run on the thread that asks (the control loop for commands).
/// </summary>
internal sealed class QmpObjectTree
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, QmpObjectNode> _nodes = new(StringComparer.Ordinal);

    public QmpObjectTree()
    {
        Add("/", "container");
        Add("/machine", "colo-vm-machine");
        Add("/objects", "container");
    }

    /// <summary>Adds an object; its parent must be there already.</summary>
    /// <param name="path">Absolute, without a slash at the end.</param>
    /// <param name="type">QOM type name.</param>
    /// <param name="properties">In the order they are listed.</param>
    public void Add(string path, string type, params QmpObjectProperty[] properties)
    {
        lock (_lock)
        {
            if (!path.StartsWith('/') || (path.Length > 1 && (path.EndsWith('/') || !_nodes.ContainsKey(Parent(path)))))
                throw new ArgumentException($"'{path}' has no parent object", nameof(path));
            if (!_nodes.TryAdd(path, new QmpObjectNode(type, properties)))
            {
                string name = path[(path.LastIndexOf('/') + 1)..];
                throw new QmpCommandException(
                    $"attempt to add duplicate property '{name}' to object (type '{_nodes[Parent(path)].Type}')");
            }
        }
    }

    /// <summary>Removes an object and all below it.</summary>
    public bool Remove(string path)
    {
        lock (_lock)
        {
            if (path == "/" || !_nodes.Remove(path))
                return false;
            List<string> below = [.. _nodes.Keys.Where(key => key.StartsWith(path + "/", StringComparison.Ordinal))];
            below.ForEach(key => _nodes.Remove(key));
            return true;
        }
    }

    /// <summary>Properties of an object, then its children as <c>child&lt;TYPE&gt;</c>.</summary>
    public IReadOnlyList<QmpPropertyInfo> List(string path)
    {
        lock (_lock)
        {
            QmpObjectNode node = Find(path, out string full);
            List<QmpPropertyInfo> found = [new QmpPropertyInfo("type", "string")];
            found.AddRange(node.Properties.Select(property => new QmpPropertyInfo(property.Name, property.Type)));
            foreach ((string key, QmpObjectNode child) in _nodes)
            {
                if (key != "/" && Parent(key) == full)
                    found.Add(new QmpPropertyInfo(key[(key.LastIndexOf('/') + 1)..], $"child<{child.Type}>"));
            }
            return found;
        }
    }

    /// <summary>Value of a property; that of a child is its path.</summary>
    public object Get(string path, string property)
    {
        QmpObjectProperty found;
        lock (_lock)
        {
            QmpObjectNode node = Find(path, out string full);
            if (property == "type")
                return node.Type;
            string child = full == "/" ? "/" + property : full + "/" + property;
            if (_nodes.ContainsKey(child))
                return child;
            found = Property(node, property);
        }
        return found.Get();
    }

    /// <summary>Sets a property; the setter refuses with <see cref="QmpCommandException"/>.</summary>
    public void Set(string path, string property, JsonElement value)
    {
        QmpObjectProperty found;
        lock (_lock)
        {
            QmpObjectNode node = Find(path, out _);
            if (property == "type")
                throw new QmpCommandException($"Property '{node.Type}.type' is not writable");
            found = Property(node, property);
            if (found.Set is null)
                throw new QmpCommandException($"Property '{node.Type}.{property}' is not writable");
        }
        found.Set(value);
    }

    private static string Parent(string path) => path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";

    private static QmpObjectProperty Property(QmpObjectNode node, string name) =>
        Array.Find(node.Properties, property => property.Name == name)
        ?? throw new QmpCommandException($"Property '{node.Type}.{name}' not found");

    private QmpObjectNode Find(string path, out string full)
    {
        full = path.Length > 1 ? path.TrimEnd('/') : path;
        if (_nodes.TryGetValue(full, out QmpObjectNode? node))
            return node;

        // A partial path names the one object whose path ends with it, as in QEMU.
        string tail = "/" + full.TrimStart('/');
        string? only = null;
        foreach (string key in path.StartsWith('/') ? [] : _nodes.Keys.Where(key => key.EndsWith(tail, StringComparison.Ordinal)))
        {
            if (only is not null)
                throw new QmpCommandException($"Path '{path}' is ambiguous");
            only = key;
        }
        full = only ?? throw QmpErrors.DeviceNotFound(path);
        return _nodes[only];
    }

    private sealed record QmpObjectNode(string Type, QmpObjectProperty[] Properties);
}

/// <summary>A property of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type as QOM writes it: <c>int</c>, <c>bool</c>, <c>string</c>.</param>
/// <param name="Get">Its value: a string, bool, long, ulong or double.</param>
/// <param name="Set">Takes a new value or refuses; null when it cannot be set.</param>
internal sealed record QmpObjectProperty(string Name, string Type, Func<object> Get, Action<JsonElement>? Set = null);

/// <summary>QAPI <c>ObjectPropertyInfo</c>.</summary>
internal sealed record QmpPropertyInfo(string Name, string Type);
