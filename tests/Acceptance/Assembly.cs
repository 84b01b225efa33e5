// Each story runs a process of its own beside it: more at once would only wait for the machine.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
