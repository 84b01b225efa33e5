using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IUser"/>
public class UserActor(ActorServices services, UserKey key) : Committer<User>(services), IUser
{
    /// <summary>The kind of a user's document.</summary>
    public const string Kind = "user";

    public async Task<Decision<User>> Switch(bool disabled, string actor) => await Decide((user, now) =>
    {
        var (next, changes) = user.Switch(disabled, actor, now);
        return new Changed<User, User>(next, changes, next);
    });

    protected override async Task<(User State, long Version)> Load() => await Services.Store.Document(Kind, key.ToString()) is { } document
        ? (Stored<User>.Read(document), document.Version)
        : (new(key.ClientId, key.UserId, Disabled: false), 0);

    protected override Instant AsOf(User state) => Instant.MinValue;

    protected override DocumentWrite? Write(User before, User after, long version, Instant now) =>
        new(Kind, key.ToString(), version, Stored<User>.Write(after), key.ClientId, now, null);

    protected override Guard Prove(long version) => new(Kind, key.ToString(), version);
}
