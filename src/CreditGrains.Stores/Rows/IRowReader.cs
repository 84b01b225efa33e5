using NodaTime;

namespace CreditGrains.Stores;

/// <summary>One row of a result, read from left to right.</summary>
internal interface IRowReader
{
    string Text();

    string? OptionalText();

    long Number();

    long? OptionalNumber();

    bool Flag();

    Instant Instant();

    Instant? OptionalInstant();

    LocalDate Date();

    LocalDate? OptionalDate();
}
