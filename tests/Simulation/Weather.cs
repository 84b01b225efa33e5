namespace CreditGrains.Simulation;

/// <summary>What a world has to bear.</summary>
internal enum Climate
{
    /// <summary>Every fault there is.</summary>
    Stormy,

    /// <summary>No fault but two clocks.</summary>
    Quiet,

    /// <summary>Notices and reminders are lost, late or doubled; nothing else goes wrong.</summary>
    Garbled,

    /// <summary>The same more often, and all reports name the same few players.</summary>
    Crowded,

    /// <summary>No fault; two users of one contract use up what they may use, again and again.</summary>
    Rationed,

    /// <summary>The same with two activations of many a grain, and everything else that users and managers do.</summary>
    Doubled,
}

/// <summary>How likely each fault is, at every message, store call or action.</summary>
internal sealed record Weather
{
    public static readonly Weather Calm = new();

    /// <summary>Faults of notices: calls that nobody waits for.</summary>
    public static readonly Weather Garbled = new() { NoticeGarbled = 0.1, ReminderLost = 0.1 };

    public static readonly Weather Crowded = new() { NoticeGarbled = 0.3, ReminderLost = 0.3 };

    public static readonly Weather Doubled = new() { SecondActivation = 0.1 };

    public double NoticeGarbled { get; init; }

    public double ReminderLost { get; init; }

    public double MessageLost { get; init; }

    public double AnswerLost { get; init; }

    public double MessageDelayed { get; init; }

    public double MessageDoubled { get; init; }

    public double SecondActivation { get; init; }

    public double GrainCrash { get; init; }

    public double LoadFails { get; init; }

    public double LoadSlow { get; init; }

    public double CommitFails { get; init; }

    public double CommitVanishes { get; init; }

    public double CommitAnswerLost { get; init; }

    public double CommitLate { get; init; }

    public double CommitSlow { get; init; }

    public double StoreAway { get; init; }

    public double CrashOfEverything { get; init; }

    /// <summary>A weather of its own for each world: some faults often, some seldom, some never.</summary>
    public static Weather Of(Dice dice)
    {
        double Some(double usual) => usual * dice.Pick([0, 0.3, 1, 3, 10]);
        return new()
        {
            NoticeGarbled = Some(0.05),
            ReminderLost = Some(0.1),
            MessageLost = Some(0.003),
            AnswerLost = Some(0.003),
            MessageDelayed = Some(0.03),
            MessageDoubled = Some(0.01),
            SecondActivation = Some(0.01),
            GrainCrash = Some(0.004),
            LoadFails = Some(0.003),
            LoadSlow = Some(0.002),
            CommitFails = Some(0.01),
            CommitVanishes = Some(0.01),
            CommitAnswerLost = Some(0.02),
            CommitLate = Some(0.01),
            CommitSlow = Some(0.003),
            StoreAway = Some(0.002),
            CrashOfEverything = Some(0.002),
        };
    }
}
