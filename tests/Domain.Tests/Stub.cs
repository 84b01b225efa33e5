using System.Reflection;

namespace CreditGrains.Domain.Tests;

/// <summary>Answers every call of an interface with a function of the method's name and arguments; whatever returns a task gets one.</summary>
public class Stub : DispatchProxy
{
    private Func<string, object?[], object?> answer = null!;

    public static T Of<T>(Func<string, object?[], object?> answer) where T : class
    {
        var stub = Create<T, Stub>();
        ((Stub)(object)stub).answer = answer;
        return stub;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = answer(targetMethod!.Name, args ?? []);
        return targetMethod.ReturnType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Task<>)
            ? typeof(Task).GetMethod(nameof(Task.FromResult))!.MakeGenericMethod(type.GetGenericArguments()).Invoke(null, [result])
            : result;
    }
}
