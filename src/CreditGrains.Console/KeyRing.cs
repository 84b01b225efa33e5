using System.Xml.Linq;
using CreditGrains.Grains.Hosting;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace CreditGrains.Pages;

/// <summary>The keys of sessions and forms, kept by a grain: in PostgreSQL, or below --data. They are read once a day, so that waiting blocks nobody.</summary>
internal sealed class KeyRing(IGrainFactory grains) : IXmlRepository
{
    private volatile int known;

    private IKeyRingGrain Ring => grains.GetGrain<IKeyRingGrain>(0);

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var keys = Ring.Read().GetAwaiter().GetResult();
        known = keys.Length;
        return [.. keys.Select(xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName) =>
        Ring.Add(element.ToString(SaveOptions.DisableFormatting), known).GetAwaiter().GetResult();
}
