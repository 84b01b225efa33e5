namespace CreditGrains.Domain;

/// <summary>Quantities of services credits: decimals of at most 4 places, at most 999,999,999.9999, which every reader of JSON numbers keeps exactly (S1).</summary>
public static class ServicesCredits
{
    /// <summary>The most of one purchase or milestone.</summary>
    public const decimal Max = 999_999_999.9999m;

    private const int Places = 4;
    private const decimal TenThousandths = 10_000m;

    /// <summary>Whole ten-thousandths: how stores keep a quantity exactly.</summary>
    public static long ToTenThousandths(decimal quantity) => decimal.ToInt64(quantity * TenThousandths);

    public static decimal FromTenThousandths(long number) => Plain(number / TenThousandths);

    /// <summary>The same number without zeros at its end, so that equal numbers are written alike.</summary>
    public static decimal Plain(decimal quantity) => quantity / 1.0000000000000000000000000000m;

    /// <summary>Refuses what is no quantity; zero where <paramref name="orZero"/> does not allow it.</summary>
    internal static Refusal? Check(string field, decimal quantity, bool orZero = false) =>
        quantity <= Max && quantity >= 0 && (orZero || quantity > 0) && decimal.Round(quantity, Places) == quantity
            ? null
            : Refusal.Invalid(field, $"is {(orZero ? "0 or more" : "more than 0")}, at most {Max}, and has at most {Places} decimal places");
}

/// <summary>The currencies of ISO 4217.</summary>
public static class Currencies
{
    private static readonly HashSet<string> Codes = [.. """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK
        DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
        LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
        SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU
        XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
        """.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)];

    internal static Refusal? Check(string field, string currency) => Codes.Contains(currency) ? null : Refusal.Invalid(field, "is a currency of ISO 4217, e.g. EUR");
}
