using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A user of a client; its key is a <see cref="UserKey"/>.</summary>
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Disables or enables the user for all contracts of the client (C3).</summary>
    Task<Decision<User>> Switch(bool disabled, string actor);
}
