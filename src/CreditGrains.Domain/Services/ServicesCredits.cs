namespace CreditGrains.Domain;

/// <summary>
/// Quantities of services credits (S1): at most 999,999,999.9999 with at most 4 decimal places, so that every reader of JSON numbers keeps them exactly.
/// </summary>
public static class ServicesCredits
{
    /// <summary>The most of one purchase or milestone.</summary>
    public const decimal Max = 999_999_999.9999m;

    private const int Places = 4;
    private const decimal TenThousandths = 10_000m;

    /// <summary>The quantity in whole ten-thousandths, in which stores keep it exactly.</summary>
    public static long ToTenThousandths(decimal quantity) => decimal.ToInt64(quantity * TenThousandths);

    public static decimal FromTenThousandths(long number) => Plain(number / TenThousandths);

    /// <summary>
    /// The same number without trailing zeros, so that equal numbers are written alike: a division by 1 with 28 decimal places drops them.
    /// </summary>
    public static decimal Plain(decimal quantity) => quantity / 1.0000000000000000000000000000m;

    /// <summary>A refusal of a number that is no quantity; null: it is one.</summary>
    /// <param name="orZero">Whether 0 is allowed.</param>
    internal static Refusal? Check(string field, decimal quantity, bool orZero = false) =>
        quantity <= Max && quantity >= 0 && (orZero || quantity > 0) && decimal.Round(quantity, Places) == quantity
            ? null
            : Refusal.Invalid(field, $"must be {(orZero ? "0 or more" : "more than 0")} and at most {Max:N4}, with at most {Places} decimal places");
}

/// <summary>The currencies of ISO 4217.</summary>
public static class Currencies
{
    /// <summary>The form that all codes have, as a regular expression.</summary>
    public const string Pattern = "^[A-Z]{3}$";

    private static readonly HashSet<string> Codes = [.. """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF
        CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
        INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
        MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
        SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU
        XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
        """.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>A refusal of a code that is no currency; null: it is one.</summary>
    internal static Refusal? Check(string field, string currency) =>
        Codes.Contains(currency) ? null : Refusal.Invalid(field, "must be a currency of ISO 4217, e.g. EUR");
}
