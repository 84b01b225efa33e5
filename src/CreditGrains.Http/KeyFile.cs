using System.Runtime.InteropServices;
using CreditGrains.Domain;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Http;

/// <summary>The file of API keys, read again when it has changed or the process gets SIGHUP; what cannot be used leaves the keys as they are.</summary>
internal sealed class KeyFile : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly string? path;
    private readonly TimeProvider time;
    private readonly ILogger<KeyFile> log;
    private readonly Lock reading = new();
    private string text = "", fault = "";
    private volatile ApiKeys keys = ApiKeys.None;

    /// <summary>Reads it first: throws <see cref="InvalidDataException"/> with a clear text where it is not as it must be.</summary>
    public KeyFile(HttpOptions options, TimeProvider time, ILogger<KeyFile> log)
    {
        (path, this.time, this.log) = (options.ApiKeysFile, time, log);
        if (path is null) return;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The API keys in {path} cannot be read: {e.Message}", e);
        }
        keys = ApiKeys.Read(path, text);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
            log.LogWarning("Others than its owner can read or change the file of API keys {File}", path);
    }

    /// <summary>The keys as they are now.</summary>
    public ApiKeys Keys => keys;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (path is null) return;
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, received =>
        {
            received.Cancel = true;
            ReadAgain(path);
        });
        using var tick = new PeriodicTimer(Pause, time);
        while (await tick.WaitForNextTickAsync(stoppingToken)) ReadAgain(path);
    }

    // The text is compared, not its time: a mounted secret changes by a link.
    private void ReadAgain(string file)
    {
        lock (reading)
        {
            try
            {
                var read = File.ReadAllText(file);
                if (read == text) return;
                text = read;
                keys = ApiKeys.Read(file, read);
                fault = "";
                log.LogInformation("The API keys in {File} were read again", file);
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                if (fault == e.Message) return;
                fault = e.Message;
                log.LogError("The API keys have changed and cannot be used; those before still hold: {Fault}", fault);
            }
        }
    }
}
