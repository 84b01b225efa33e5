// Each story runs a silo of its own: more at once would only wait for the machine.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]
