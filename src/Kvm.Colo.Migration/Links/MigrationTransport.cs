namespace Kvm.Colo.Migration.Links;

internal enum MigrationTransport
{
    Tcp,
    Unix,
    File,
    Exec,
    Descriptor,
}
