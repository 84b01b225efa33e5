return await CreditGrains.Cli.CommandLine.Run(args, Console.Out, Console.Error);
