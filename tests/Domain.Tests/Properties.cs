using FsCheck;
using FsCheck.Fluent;

namespace CreditGrains.Domain.Tests;

/// <summary>Runs properties: each on so many random cases; a failure throws and prints the case and the seed that repeats it.</summary>
internal static class Properties
{
    public static void Hold(Property property, int cases = 500) =>
        Check.One(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(cases), property);
}
