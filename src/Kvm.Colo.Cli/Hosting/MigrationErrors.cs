using Kvm.Colo.Migration;
using Kvm.Colo.Migration.Links;
using Kvm.Colo.Qmp;

namespace Kvm.Colo.Cli.Hosting;

/// <summary>Refusals of the migration become errors of the command that asked.</summary>
internal static class MigrationErrors
{
    public static void Obey(Action command)
    {
        try
        {
            command();
        }
        catch (Exception e) when (e is MigrationException or LinkException)
        {
            throw new QmpCommandException(e.Message);
        }
    }
}
