using var http = new HttpClient { BaseAddress = new Uri(args[0] + "/") };
await NswagDay.Live(http);
await KiotaDay.Live(http);
Console.WriteLine("done");
