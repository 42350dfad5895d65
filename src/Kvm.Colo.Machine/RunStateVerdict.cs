namespace Kvm.Colo.Machine;

/// <summary>What the table says of one pair of state and trigger.</summary>
internal enum RunStateVerdict
{
    /// <summary>An action, and perhaps another state.</summary>
    Act,

    /// <summary>Success without any effect.</summary>
    Nothing,

    /// <summary>An error to whoever asked; nothing changes.</summary>
    Refuse,

    /// <summary>The control loop is inside a pause: the trigger waits for its end and meets the state that follows.</summary>
    Wait,

    /// <summary>Cannot happen, for the reason given; if it did, it would be refused.</summary>
    Impossible,
}
