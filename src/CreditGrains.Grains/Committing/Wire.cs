using System.Text.Json;
using System.Text.Json.Serialization;
using CreditGrains.Domain;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Configuration;

namespace CreditGrains.Grains;

/// <summary>How the actors' messages travel: as the domain's JSON between silos, by reference within one, for they never change.</summary>
public static class Messages
{
    private const string Ours = "CreditGrains.";

    // The runtime type travels beside the JSON, which still names it as a member of a closed set.
    private static readonly JsonSerializerOptions Wire = new(Json.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    public static IServiceCollection AddCreditGrainsMessages(this IServiceCollection services) => services.AddSerializer(serializer =>
    {
        serializer.AddJsonSerializer(IsMessage, isCopyable: _ => false, options => options.Configure(codec => codec.SerializerOptions = Wire));
        serializer.Services.AddSingleton<IGeneralizedCopier, ByReference>();
        serializer.Services.AddSingleton<ITypeFilter, Allowed>();

        // A driver's exception travels inside ours, too.
        serializer.Services.Configure<ExceptionSerializationOptions>(options => options.SupportedExceptionTypeFilter = _ => true);
    });

    private static bool IsMessage(Type type) =>
        (type.Namespace?.StartsWith(Ours, StringComparison.Ordinal) == true || type.Namespace == "NodaTime") && !typeof(Exception).IsAssignableFrom(type);

    // An abstract answer is named on the wire by its base.
    private sealed class Allowed : ITypeFilter
    {
        public bool? IsTypeAllowed(Type type) => IsMessage(type) ? true : null;
    }

    private sealed class ByReference : IGeneralizedCopier, IOptionalDeepCopier
    {
        public bool IsSupportedType(Type type) => IsMessage(type);

        public bool IsShallowCopyable() => true;

        public object? DeepCopy(object? input, CopyContext context) => input;
    }
}
