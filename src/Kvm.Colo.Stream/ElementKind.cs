namespace Kvm.Colo.Stream;

/// <summary>First byte of a stream element (QEMU_VM_* in QEMU's words).</summary>
internal enum ElementKind : byte
{
    Eof = 0x00,
    SectionStart = 0x01,
    SectionPart = 0x02,
    SectionEnd = 0x03,
    SectionFull = 0x04,

    /// <summary>Inside a device body or the configuration, never an element.</summary>
    Subsection = 0x05,
    Description = 0x06,

    /// <summary>Only straight after the stream header, see <see cref="StreamConfigurationCodec"/>.</summary>
    Configuration = 0x07,
    Command = 0x08,

    /// <summary>Not an element: a private <see cref="ColoMessage"/> stands between two elements.</summary>
    PrivateMessage = ColoMessageCodec.PrivatePrefix,

    /// <summary>Ends a section, never an element.</summary>
    Footer = 0x7E,
}
