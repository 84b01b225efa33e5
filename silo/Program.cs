using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;

return await Server.Run("a silo", args, async options => await SiloHost.Build(options));
