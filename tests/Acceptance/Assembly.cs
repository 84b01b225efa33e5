// Each story runs a silo of its own, and waits for its disk as much as for the processor.
[assembly: Xunit.v3.Parallelization(MaxThreads = 4)]
[assembly: AssemblyFixture(typeof(CreditGrains.Editions.SharedPostgres))]
