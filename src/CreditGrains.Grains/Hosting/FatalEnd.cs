using System.Runtime.InteropServices;

namespace CreditGrains.Grains.Hosting;

/// <summary>How a server ends that cannot go on: at once, with a sentence and exit code 70, for whoever supervises it to start it again.</summary>
public static class FatalEnd
{
    private const int ExitCode = 70;

    public static void Now(string reason)
    {
        Console.Error.WriteLine($"CreditGrains ended, to be started again: {reason.ReplaceLineEndings(" ")}");
        if (OperatingSystem.IsWindows()) Environment.FailFast(reason);
        else Exit(ExitCode);
    }

    // Nothing is waited for, which Environment.Exit would do.
    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void Exit(int code);
}
