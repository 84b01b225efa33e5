using System.CommandLine;

namespace CreditGrains.Cli;

/// <summary><c>credits keys new | list | revoke</c>: the file of API keys that the service is started with.</summary>
internal static class KeysCommand
{
    private static readonly string[] Roles = [.. Enum.GetValues<Role>().Select(KeyFile.Text)];

    public static Command Create() =>
        new("keys", "Makes, lists and revokes API keys; the service reads the file again when it changes.") { New(), List(), Revoke() };

    private static Option<string> File => new("--file") { Description = "The file of keys.", DefaultValueFactory = _ => "keys.json" };

    private static Command New()
    {
        var name = new Option<string>("--name") { Description = "Who it is for; the ledger names it as the actor.", Required = true };
        var role = new Option<string>("--role") { Description = "What it may do.", Required = true };
        role.AcceptOnlyFromAmong(Roles);
        var client = new Option<string?>("--client") { Description = "The client whose it is." };
        var user = new Option<string?>("--user") { Description = "The one user who may report with it (a consumer)." };
        var expires = new Option<DateTimeOffset?>("--expires") { Description = "When it ends, e.g. 2027-01-01T00:00:00Z." };
        var file = File;

        var command = new Command("new", "Makes a key and prints it, once. A second key of a name replaces the first without a gap.")
        {
            name, role, client, user, expires, file,
        };
        command.SetAction(parsed =>
        {
            var may = Enum.Parse<Role>(parsed.GetValue(role)!, ignoreCase: true);
            var (next, key) = KeyFile.Read(parsed.GetValue(file)!)
                .Add(parsed.GetValue(name)!, may, parsed.GetValue(client), parsed.GetValue(user), parsed.GetValue(expires));
            next.Write(parsed.GetValue(file)!);
            parsed.InvocationConfiguration.Output.WriteLine(key);
        });
        return command;
    }

    private static Command List()
    {
        var file = File;
        var command = new Command("list", "Lists the keys; their texts are kept nowhere.") { file };
        command.SetAction(parsed =>
        {
            foreach (var key in KeyFile.Read(parsed.GetValue(file)!).Keys)
                parsed.InvocationConfiguration.Output.WriteLine(string.Join("  ", [key.Name, KeyFile.Text(key.Role), key.ClientId ?? "all clients", .. key.UserId is null ? Array.Empty<string>() : [key.UserId]]));
        });
        return command;
    }

    private static Command Revoke()
    {
        var name = new Argument<string>("NAME") { Description = "The key's name." };
        var file = File;
        var old = new Option<bool>("--old") { Description = "Only those that a newer key of the name replaces." };
        var command = new Command("revoke", "Takes the keys of a name away; the service forgets them within seconds.") { name, old, file };
        command.SetAction(parsed => KeyFile.Read(parsed.GetValue(file)!).Without(parsed.GetValue(name)!, parsed.GetValue(old)).Write(parsed.GetValue(file)!));
        return command;
    }
}
