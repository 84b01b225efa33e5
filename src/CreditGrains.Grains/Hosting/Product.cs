using System.Reflection;

namespace CreditGrains.Grains.Hosting;

/// <summary>Which program this is.</summary>
public static class Product
{
    /// <summary>As <c>Directory.Build.props</c> has it, e.g. <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
