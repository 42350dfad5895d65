using Kvm.Colo.Stream;

namespace Kvm.Colo.Devices.Virtio;

/// <content>Standing still, saving and loading.</content>
internal abstract partial class VirtioDevice : IStateOwner
{
    public string Name => Identity.SectionName;

    public uint InstanceId => Identity.InstanceId;

    public uint Version => 1;

    DeviceState IStateOwner.Current => CurrentState;

    DeviceState IStateOwner.Staged => StagedState;

    protected abstract VirtioDeviceState CurrentState { get; }

    protected abstract VirtioDeviceState StagedState { get; }

    public bool TryQuiesce(TimeSpan deadline)
    {
        long start = Host.Time.GetTimestamp();
        if (!Gate.TryEnter(deadline))
            return false;
        try
        {
            if (_isQuiesced)
                return true;
            _isQuiesced = true;
            OnQuiesce();
        }
        finally
        {
            Gate.Exit();
        }

        TimeSpan left = deadline - Host.Time.GetElapsedTime(start);
        if (TryDrain(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            return true;
        Resume();
        return false;
    }

    public void Resume()
    {
        lock (Gate)
        {
            if (!_isQuiesced)
                return;
            _isQuiesced = false;
            OnResume();
            if (!IsActive)
                return;
            if (_configurationChanged)
                Transport.InterruptConfiguration();
            _configurationChanged = false;
            KickAll();
        }
    }

    public void Capture()
    {
        lock (Gate)
        {
            RequireQuiesced();
            VirtioDeviceState state = CurrentState;
            Transport.Capture(state.Transport);
            state.ConfigurationGeneration = ConfigurationGeneration;
            state.Status = (byte)Status;
            state.DriverFeatures = DriverFeatures;
            for (int i = 0; i < _queues.Length; i++)
                _queues[i].Capture(state.Queues[i]);
            OnCapture();
        }
    }

    public string? Apply()
    {
        lock (Gate)
        {
            RequireQuiesced();
            VirtioDeviceState state = StagedState;
            ConfigurationGeneration = state.ConfigurationGeneration;
            Status = (VirtioStatus)state.Status;
            DriverFeatures = state.DriverFeatures;
            for (int i = 0; i < _queues.Length; i++)
                _queues[i].Apply(state.Queues[i]);
            if (IsActive && !TryStartQueues())
                return "a queue does not lie in RAM";
            Transport.Apply(state.Transport);
            return OnApply();
        }
    }

    /// <summary>Under the lock: take no more input.</summary>
    protected virtual void OnQuiesce()
    {
    }

    /// <summary>Without the lock: wait until nothing is in flight, then show the driver the results.</summary>
    protected virtual bool TryDrain(TimeSpan deadline) => true;

    /// <summary>Under the lock: input may come again. The queues are looked at after this.</summary>
    protected virtual void OnResume()
    {
    }

    /// <summary>Fills the device's own fields of <see cref="CurrentState"/>.</summary>
    protected virtual void OnCapture()
    {
    }

    /// <summary>Takes over the device's own fields of <see cref="StagedState"/>; null, or why the host could not.</summary>
    protected virtual string? OnApply() => null;

    private void RequireQuiesced()
    {
        if (!_isQuiesced)
            throw new InvalidOperationException($"{Identity.Name} is not quiesced");
    }
}
