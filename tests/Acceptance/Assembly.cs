// Each story runs a process of its own beside it: more at once would only wait for the machine.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]
