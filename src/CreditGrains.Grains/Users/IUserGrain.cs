using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A user of a client; its key is a <see cref="UserKey"/>.</summary>
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Disables or enables the user for all contracts of the client (C3). The same key and request again: the first answer.</summary>
    Task<Decision<Answered<User>>> Switch(bool disabled, string actor, RequestKey? key = null);
}
