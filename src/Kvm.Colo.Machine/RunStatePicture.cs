using System.Text;

namespace Kvm.Colo.Machine;

/// <summary>
/// Draws run-states.svg from the table: only places are chosen here, every arrow and its label is a row. Arrows that all guest states
/// share start or end at the frame around them.
/// </summary>
internal static class RunStatePicture
{
    private const int BoxWidth = 130;
    private const int BoxHeight = 34;

    private static readonly Box s_frame = new(330, 60, 610, 560);

    private static readonly Dictionary<RunState, Box> s_boxes = new()
    {
        [RunState.InMigrate] = At(50, 150),
        [RunState.PostMigrate] = At(50, 420),
        [RunState.Running] = At(370, 330),
        [RunState.Prelaunch] = At(780, 90),
        [RunState.Paused] = At(780, 168),
        [RunState.IoError] = At(780, 246),
        [RunState.Watchdog] = At(780, 324),
        [RunState.GuestPanicked] = At(780, 402),
        [RunState.InternalError] = At(780, 480),
        [RunState.Shutdown] = At(780, 558),
        [RunState.FinishMigrate] = At(50, 680),
        [RunState.Colo] = At(580, 700),
    };

    public static string Write()
    {
        StringBuilder text = new();
        text.Append("""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 790" font-family="sans-serif" font-size="12">
            <style>
            rect{fill:#fff;stroke:#345;stroke-width:1.5} .frame{fill:#f4f7fa;stroke-dasharray:6 4} line{stroke:#678;stroke-width:1.2}
            .label{fill:#245;font-size:10.5px;paint-order:stroke;stroke:#fff;stroke-width:3px} .name{font-weight:bold;text-anchor:middle}
            </style>
            <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#678"/></marker></defs>
            <rect width="1000" height="790" style="stroke:none"/>

            """);
        text.Append($"<rect class=\"frame\" x=\"{s_frame.X}\" y=\"{s_frame.Y}\" width=\"{s_frame.Width}\" height=\"{s_frame.Height}\" rx=\"14\"/>\n");
        text.Append($"<text x=\"{s_frame.X + 16}\" y=\"{s_frame.Y + 22}\" font-style=\"italic\">guest states</text>\n");
        AppendArrows(text);
        foreach ((RunState state, Box box) in s_boxes)
        {
            text.Append($"<rect x=\"{box.X}\" y=\"{box.Y}\" width=\"{box.Width}\" height=\"{box.Height}\" rx=\"8\"/>");
            text.Append($"<text class=\"name\" x=\"{box.X + (box.Width / 2)}\" y=\"{box.Y + 21}\">{state.Name()}</text>\n");
        }

        return text.Append("</svg>\n").ToString();
    }

    private static void AppendArrows(StringBuilder text)
    {
        Dictionary<(Box From, Box To), List<string>> arrows = [];
        foreach (RunStateTrigger trigger in Enum.GetValues<RunStateTrigger>())
        {
            string name = RunStateTexts.Of(trigger).Name;
            HashSet<RunState> shared = [.. RunStateTable.GuestStates.Where(state => IsAct(state, trigger))];
            bool isShared = shared.Count == RunStateTable.GuestStates.Count && RunStateTable.GuestStates.Select(state => RunStateTable.Rule(state, trigger).To).Distinct().Count() == 1;
            foreach (RunState from in s_boxes.Keys)
            {
                RunStateRule rule = RunStateTable.Rule(from, trigger);
                if (!IsAct(from, trigger))
                    continue;
                Box source = isShared && shared.Contains(from) ? s_frame : s_boxes[from];
                Box target = rule.Target is RunStateTarget.Arrived or RunStateTarget.Interrupted ? s_frame : s_boxes[rule.To];
                if (source == target)
                    continue;
                if (!arrows.TryGetValue((source, target), out List<string>? labels))
                    arrows[(source, target)] = labels = [];
                if (!labels.Contains(name))
                    labels.Add(name);
            }
        }

        foreach (((Box from, Box to), List<string> labels) in arrows)
            AppendArrow(text, from, to, labels, arrows.ContainsKey((to, from)));
    }

    private static bool IsAct(RunState from, RunStateTrigger trigger) => RunStateTable.Rule(from, trigger) is { Verdict: RunStateVerdict.Act } rule
        && (rule.Target is RunStateTarget.Arrived or RunStateTarget.Interrupted || (rule.Target == RunStateTarget.Named && rule.To != from));

    // The two arrows of a pair run side by side; a label stands nearer to the arrow's end, so that those of a fan keep apart.
    private static void AppendArrow(StringBuilder text, Box from, Box to, List<string> labels, bool hasReverse)
    {
        (double x1, double y1) = from.Toward(to);
        (double x2, double y2) = to.Toward(from);
        double length = Math.Max(1, Math.Sqrt(((x2 - x1) * (x2 - x1)) + ((y2 - y1) * (y2 - y1))));
        double shift = hasReverse ? 7 : 0;
        double dx = -(y2 - y1) / length * shift;
        double dy = (x2 - x1) / length * shift;
        text.Append($"<line x1=\"{x1 + dx:0}\" y1=\"{y1 + dy:0}\" x2=\"{x2 + dx:0}\" y2=\"{y2 + dy:0}\" marker-end=\"url(#tip)\"/>");
        double labelX = x1 + ((x2 - x1) * 0.55) + dx;
        double labelY = y1 + ((y2 - y1) * 0.55) + dy - ((labels.Count - 1) * 6) + (dy >= 0 ? 5 : -1);
        foreach (string label in labels)
        {
            text.Append($"<text class=\"label\" text-anchor=\"middle\" x=\"{labelX:0}\" y=\"{labelY:0}\">{label}</text>");
            labelY += 12;
        }

        text.Append('\n');
    }

    private static Box At(int x, int y) => new(x, y, BoxWidth, BoxHeight);

    private readonly record struct Box(int X, int Y, int Width, int Height)
    {
        /// <summary>The point of the edge that faces the other box.</summary>
        public (double X, double Y) Toward(Box other)
        {
            double centreX = Math.Clamp(other.X + (other.Width / 2.0), X, X + Width);
            double centreY = Math.Clamp(other.Y + (other.Height / 2.0), Y, Y + Height);
            if (other.X >= X + Width)
                return (X + Width, Middle(Y, Height, other.Y, other.Height, centreY));
            if (other.X + other.Width <= X)
                return (X, Middle(Y, Height, other.Y, other.Height, centreY));
            return other.Y > Y ? (Middle(X, Width, other.X, other.Width, centreX), Y + Height) : (Middle(X, Width, other.X, other.Width, centreX), Y);
        }

        private static double Middle(int start, int size, int otherStart, int otherSize, double fallback) =>
            size <= BoxWidth ? start + (size / 2.0) : otherStart + (otherSize / 2.0) is var middle && middle > start && middle < start + size ? middle : fallback;
    }
}
