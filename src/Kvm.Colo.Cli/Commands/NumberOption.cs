using System.CommandLine;
using System.Globalization;

namespace Kvm.Colo.Cli.Commands;

/// <summary>An option that takes a whole number, with a message of our own when it is none.</summary>
internal static class NumberOption
{
    public static Option<int?> Create(string name, string value, string description) => new(name)
    {
        HelpName = value,
        Description = description,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
                return number;
            result.AddError($"{name}: '{text}' is not a whole number");
            return null;
        },
    };
}
