using Kvm.Colo.HostTests;
using Xunit;

// A class is a lane with a host of its own; two lanes, because an emulated CPU takes a real one whole.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerClass, MaxParallelThreads = 2)]
[assembly: TestCollectionOrderer("Kvm.Colo.HostTests." + nameof(LongestFirstOrderer), "Kvm.Colo.HostTests")]
