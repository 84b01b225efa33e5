using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;

return await Server.Run("a silo", args, SiloHost.Build, SiloHost.Describe, SiloHost.CarryOut);
