using System.Globalization;
using System.Security;
using System.Text;

namespace Kvm.Colo.Benchmarks.Reporting;

/// <summary>A line chart as SVG text; the horizontal axis is logarithmic, the vertical one may be.</summary>
internal sealed class SvgChart(string title, string xLabel, string yLabel, bool isYLog)
{
    private const double Width = 760;
    private const double Height = 440;
    private const double Left = 70;
    private const double Right = 20;
    private const double Top = 40;
    private const double Bottom = 60;

    private static readonly string[] s_colours = ["#b00020", "#e08a00", "#7a5ea8", "#00704a"];

    private readonly List<(string Name, (double X, double Y)[] Points, bool IsDashed)> _series = [];

    public bool IsEmpty => _series.Count == 0;

    /// <summary>Adds a line; a name that was there before keeps its colour. Points that are no positive number are left out.</summary>
    public void Add(string name, IEnumerable<(double X, double Y)> points, bool isDashed = false)
    {
        (double X, double Y)[] good = [.. points.Where(p => p.X > 0 && double.IsFinite(p.Y) && (!isYLog || p.Y > 0))];
        if (good.Length > 0)
            _series.Add((name, good, isDashed));
    }

    public string Render()
    {
        IEnumerable<(double X, double Y)> all = _series.SelectMany(static s => s.Points);
        double xMin = Math.Floor(all.Min(static p => Math.Log10(p.X)));
        double xMax = Math.Max(xMin + 1, Math.Ceiling(all.Max(static p => Math.Log10(p.X))));
        double yMin = isYLog ? Math.Floor(all.Min(static p => Math.Log10(p.Y))) : 0;
        double yMax = isYLog ? Math.Max(yMin + 1, Math.Ceiling(all.Max(static p => Math.Log10(p.Y)))) : all.Max(static p => p.Y);
        double X(double log) => Left + ((log - xMin) / (xMax - xMin) * (Width - Left - Right));
        double Y(double value) => Height - Bottom - ((value - yMin) / (yMax - yMin) * (Height - Top - Bottom));

        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        Text(svg, Width / 2, 22, title, "middle");
        Text(svg, Width / 2, Height - 22, xLabel, "middle");
        svg.Append(CultureInfo.InvariantCulture, $"""<text transform="translate(18,{Height / 2:0}) rotate(-90)" text-anchor="middle">{SecurityElement.Escape(yLabel)}</text>""");
        for (double decade = xMin; decade <= xMax; decade++)
        {
            Line(svg, X(decade), Y(yMin), X(decade), Y(yMax));
            Text(svg, X(decade), Height - Bottom + 16, Number(Math.Pow(10, decade)), "middle");
        }

        double step = isYLog ? 1 : yMax / 5;
        for (double tick = yMin; tick <= yMax + (step / 2); tick += step)
        {
            Line(svg, X(xMin), Y(tick), X(xMax), Y(tick));
            Text(svg, Left - 6, Y(tick) + 4, Number(isYLog ? Math.Pow(10, tick) : tick), "end");
        }

        AppendSeries(svg, point => X(Math.Log10(point.X)), point => Y(isYLog ? Math.Log10(point.Y) : point.Y));
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2) =>
        svg.Append(CultureInfo.InvariantCulture, $"""<line x1="{x1:0.0}" y1="{y1:0.0}" x2="{x2:0.0}" y2="{y2:0.0}" stroke="#ddd"/>""");

    private static void Text(StringBuilder svg, double x, double y, string text, string anchor, string colour = "black") =>
        svg.Append(CultureInfo.InvariantCulture, $"""<text x="{x:0.0}" y="{y:0.0}" text-anchor="{anchor}" fill="{colour}">{SecurityElement.Escape(text)}</text>""");

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private void AppendSeries(StringBuilder svg, Func<(double X, double Y), double> x, Func<(double X, double Y), double> y)
    {
        List<string> names = [.. _series.Select(static s => s.Name).Distinct()];
        foreach ((string name, (double X, double Y)[] points, bool isDashed) in _series)
        {
            string colour = s_colours[names.IndexOf(name) % s_colours.Length];
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline fill="none" stroke="{colour}" stroke-width="2"{(isDashed ? " stroke-dasharray=\"5 4\"" : "")} points="{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{x(p):0.0},{y(p):0.0}")))}"/>""");
        }

        for (int i = 0; i < names.Count; i++)
            Text(svg, Left + 10, Top + 14 + (16 * i), names[i], "start", s_colours[i % s_colours.Length]);
    }
}
