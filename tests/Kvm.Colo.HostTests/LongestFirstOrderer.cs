using Xunit;
using Xunit.Abstractions;

namespace Kvm.Colo.HostTests;

/// <summary>The pair's long row starts first, so that no lane is left waiting for it at the end.</summary>
public sealed class LongestFirstOrderer : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderByDescending(static collection => collection.DisplayName.Contains(nameof(LinuxPairTests), StringComparison.Ordinal));
}
