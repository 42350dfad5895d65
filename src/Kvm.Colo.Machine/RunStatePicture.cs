using System.Globalization;
using System.Text;

namespace Kvm.Colo.Machine;

/// <summary>
/// Draws run-states.svg from the table: only places are chosen here, every arrow and its label is a row. Arrows that all states of a
/// frame share start or end at the frame. Lines are level or upright and none lies on another.
/// </summary>
internal static class RunStatePicture
{
    private const string Guest = "guest states";
    private const string Standing = "standing";
    private const string Startable = "can go on";

    private const int LineHeight = 13;
    private const int MaxLabelChars = 44;

    /// <summary>Frames, the widest first, and the states in them.</summary>
    private static readonly (string Name, Box Box, RunState[] Members)[] s_frames =
    [
        (Guest, new(30, 50, 770, 745), [.. RunStateTable.GuestStates]),
        (Standing, new(470, 76, 220, 624), [.. RunStateTable.GuestStates.Where(static state => state != RunState.Running)]),
        (Startable, new(482, 102, 196, 402), [RunState.Prelaunch, RunState.Paused, RunState.IoError, RunState.Watchdog, RunState.GuestPanicked]),
    ];

    private static readonly Dictionary<RunState, Box> s_states = new()
    {
        [RunState.Running] = new(60, 110, 120, 645),
        [RunState.Prelaunch] = new(500, 130, 160, 40),
        [RunState.Paused] = new(500, 205, 160, 40),
        [RunState.IoError] = new(500, 285, 160, 40),
        [RunState.Watchdog] = new(500, 365, 160, 40),
        [RunState.GuestPanicked] = new(500, 445, 160, 40),
        [RunState.InternalError] = new(500, 540, 160, 40),
        [RunState.Shutdown] = new(500, 640, 160, 40),
        [RunState.InMigrate] = new(1090, 110, 140, 150),
        [RunState.Colo] = new(1090, 310, 140, 150),
        [RunState.FinishMigrate] = new(1090, 510, 140, 130),
        [RunState.PostMigrate] = new(1090, 690, 140, 80),
    };

    /// <summary>Where the arrows run: level at a height, with a turn through an upright channel between two heights, or upright.</summary>
    private static readonly Dictionary<(string From, string To), Route> s_routes = new()
    {
        [("running", "paused")] = Route.Level(225, 325),
        [("running", "io-error")] = Route.Level(305, 325),
        [(Startable, "running")] = Route.Level(385, 325),
        [("running", "guest-panicked")] = Route.Level(465, 325),
        [("running", "internal-error")] = Route.Level(560, 325),
        [("running", "shutdown")] = Route.Level(660, 325),
        [(Standing, "prelaunch")] = Route.Turn(610, 712, 158, 752, 604),
        [(Guest, "shutdown")] = Route.Upright(580, 352, 783),
        [("prelaunch", "inmigrate")] = Route.Level(140, 980),
        [("inmigrate", Guest)] = Route.Level(180, 980),
        [("inmigrate", "paused")] = Route.Level(213, 980),
        [("inmigrate", "internal-error")] = Route.Turn(246, 815, 548, 980, 246),
        [("inmigrate", "colo")] = Route.Upright(1160, 1168, 289),
        [("colo", Guest)] = Route.Level(336, 980),
        [(Guest, "colo")] = Route.Level(368, 980),
        [("colo", "paused")] = Route.Turn(400, 830, 225, 980, 400),
        [("colo", "internal-error")] = Route.Turn(434, 845, 560, 980, 434),
        [("finish-migrate", Guest)] = Route.Level(534, 980),
        [(Guest, "finish-migrate")] = Route.Level(584, 980),
        [("finish-migrate", "paused")] = Route.Turn(620, 860, 237, 980, 620),
        [("finish-migrate", "postmigrate")] = Route.Upright(1160, 1168, 669),
        [("postmigrate", "prelaunch")] = Route.Turn(708, 875, 149, 980, 708),
        [("postmigrate", "running")] = Route.Level(740, 980),
    };

    /// <summary>Arrows of the table that have no place in the picture: there must be none.</summary>
    public static IEnumerable<string> Missing => Arrows().Keys.Where(static ends => !s_routes.ContainsKey(ends)).Select(static ends => $"{ends.From} -> {ends.To}");

    public static string Write()
    {
        StringBuilder text = new();
        text.Append("""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1260 820" font-family="sans-serif" font-size="13">
            <style>
            rect{fill:#fff;stroke:#345;stroke-width:1.5} .frame{fill:#5b7fa3;fill-opacity:.07;stroke-dasharray:6 4;stroke-width:1}
            path.arrow{fill:none;stroke:#678;stroke-width:1.3} .label{fill:#123;font-size:11.5px;paint-order:stroke;stroke:#fff;stroke-width:4px}
            .name{font-weight:bold;text-anchor:middle} .title{font-style:italic;fill:#456;font-size:12px}
            </style>
            <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#678"/></marker></defs>
            <rect width="1260" height="820" style="stroke:none"/>

            """);
        foreach ((string name, Box box, _) in s_frames)
        {
            text.Append($"<rect class=\"frame\" {box} rx=\"12\"/>");
            text.Append($"<text class=\"title\" x=\"{box.X + 10}\" y=\"{box.Y + 17}\">{name}</text>\n");
        }

        Dictionary<(string From, string To), List<string>> arrows = Arrows();
        foreach ((var ends, _) in arrows)
            AppendLine(text, ends);
        foreach ((RunState state, Box box) in s_states)
        {
            text.Append($"<rect {box} rx=\"8\"/>");
            text.Append($"<text class=\"name\" x=\"{box.X + (box.Width / 2)}\" y=\"{box.Y + (box.Height / 2) + 5}\">{state.Name()}</text>\n");
        }

        foreach ((var ends, List<string> labels) in arrows)
            AppendLabels(text, ends, labels);
        return text.Append("</svg>\n").ToString();
    }

    // One arrow for all triggers that lead from one place to another.
    private static Dictionary<(string From, string To), List<string>> Arrows()
    {
        Dictionary<(string From, string To), List<string>> arrows = [];
        foreach (RunStateTrigger trigger in Enum.GetValues<RunStateTrigger>())
        {
            foreach (IGrouping<string, RunState> sources in s_states.Keys.Where(state => Target(state, trigger) is not null)
                .GroupBy(state => Target(state, trigger)!))
            {
                HashSet<RunState> left = [.. sources];
                foreach ((string frame, _, RunState[] members) in s_frames)
                {
                    RunState[] leaving = [.. members.Where(state => state.Name() != sources.Key)];
                    if (leaving.Length == 0 || !left.IsSupersetOf(leaving))
                        continue;
                    left.ExceptWith(leaving);
                    Add(frame);
                }

                foreach (RunState state in left)
                    Add(state.Name());

                void Add(string from)
                {
                    string name = RunStateTexts.Of(trigger).Name;
                    if (!arrows.TryGetValue((from, sources.Key), out List<string>? labels))
                        arrows[(from, sources.Key)] = labels = [];
                    if (!labels.Contains(name))
                        labels.Add(name);
                }
            }
        }

        return arrows;
    }

    // Where the trigger leads to from a state, null when it stays there.
    private static string? Target(RunState from, RunStateTrigger trigger) => RunStateTable.Rule(from, trigger) switch
    {
        { Verdict: RunStateVerdict.Act, Target: RunStateTarget.Arrived or RunStateTarget.Interrupted } => Guest,
        { Verdict: RunStateVerdict.Act, Target: RunStateTarget.Named } rule when rule.To != from => rule.To.Name(),
        _ => null,
    };

    private static Box Find(string name)
    {
        foreach ((string frame, Box box, _) in s_frames)
        {
            if (frame == name)
                return box;
        }

        return s_states[s_states.Keys.First(state => state.Name() == name)];
    }

    private static void AppendLine(StringBuilder text, (string From, string To) ends)
    {
        if (!s_routes.TryGetValue(ends, out Route route))
            return;
        Box from = Find(ends.From);
        Box to = Find(ends.To);
        if (route.IsUpright)
        {
            // Out of a frame an arrow starts at its lower edge, and inside it points upwards.
            bool isInside = to.Y > from.Y && to.Y + to.Height < from.Y + from.Height;
            int start = from.Y + from.Height;
            int end = isInside ? to.Y + to.Height : to.Y;
            text.Append(CultureInfo.InvariantCulture, $"<path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{route.Channel} {start}V{end}\"/>\n");
            return;
        }

        int middle = route.Channel ?? to.X + (to.Width / 2);
        int startX = middle > from.X + from.Width || (route.Channel is null && to.X > from.X + from.Width) ? from.X + from.Width : from.X;
        if (route.Channel is null)
        {
            int levelEnd = to.X > startX ? to.X : to.X + to.Width;
            if (startX == from.X && to.X < from.X && to.X + to.Width > from.X)
                levelEnd = to.X;
            text.Append(CultureInfo.InvariantCulture, $"<path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{startX} {route.FromY}H{levelEnd}\"/>\n");
            return;
        }

        int endX = to.X > middle ? to.X : to.X + to.Width;
        text.Append(CultureInfo.InvariantCulture,
            $"<path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{startX} {route.FromY}H{middle}V{route.ToY}H{endX}\"/>\n");
    }

    private static void AppendLabels(StringBuilder text, (string From, string To) ends, List<string> labels)
    {
        if (!s_routes.TryGetValue(ends, out Route route))
            return;
        List<string> lines = [];
        foreach (string label in labels)
        {
            if (lines.Count > 0 && lines[^1].Length + label.Length + 3 <= MaxLabelChars)
                lines[^1] += " · " + label;
            else
                lines.Add(label);
        }

        string anchor = route.IsUpright ? "start" : "middle";
        int y = route.LabelY - (route.IsUpright ? 0 : 5) - ((lines.Count - 1) * LineHeight);
        foreach (string line in lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"<text class=\"label\" text-anchor=\"{anchor}\" x=\"{route.LabelX}\" y=\"{y}\">{line}</text>\n");
            y += LineHeight;
        }
    }

    private readonly record struct Box(int X, int Y, int Width, int Height)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"x=\"{X}\" y=\"{Y}\" width=\"{Width}\" height=\"{Height}\"");
    }

    /// <summary>Heights at both ends, the channel between them if there is one, and the middle of the label.</summary>
    private readonly record struct Route(int FromY, int? Channel, int ToY, int LabelX, int LabelY, bool IsUpright)
    {
        public static Route Level(int y, int labelX) => new(y, null, y, labelX, y, IsUpright: false);

        public static Route Turn(int fromY, int channel, int toY, int labelX, int labelY) => new(fromY, channel, toY, labelX, labelY, IsUpright: false);

        public static Route Upright(int x, int labelX, int labelY) => new(0, x, 0, labelX, labelY, IsUpright: true);
    }
}
