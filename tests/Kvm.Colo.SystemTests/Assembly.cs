using Xunit;

// The machine is small and guests are busy: one test at a time keeps deadlines honest.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
