using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A user of a client; its key is a <see cref="UserKey"/>.</summary>
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Disables or enables the user for all contracts of the client (C3). The same key and request again: the first answer.</summary>
    Task<Decision<Answered<User>>> Switch(bool disabled, string actor, RequestKey? key = null);

    /// <summary>Names, and disables or enables, the user (C3), who may be new; refuses with <see cref="RefusalCode.PreconditionFailed"/>.</summary>
    /// <param name="seen">The version that the caller has seen, 0: none; null: any.</param>
    Task<Decision<Answered<User>>> Set(string name, bool disabled, string actor, long? seen);
}
