namespace Kvm.Colo.Stream;

/// <summary>Where the reader of the forward stream stands, which decides what a first byte of zero means.</summary>
internal enum ForwardPosition
{
    /// <summary>A COLO message is due: 00 begins a QEMU message, 02 a pre-sent RAM part, 63 a private message.</summary>
    Message,

    /// <summary>After vmstate-send or during precopy: 00 is EOF, 01..08 an element, 63 a private message.</summary>
    Element,
}
