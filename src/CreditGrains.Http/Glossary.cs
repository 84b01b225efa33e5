using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.OpenApi;
using Calendar = CreditGrains.Domain.Calendar;

namespace CreditGrains.Http;

/// <summary>What a field or parameter means, in which unit, between which limits, and an example of it.</summary>
/// <param name="Example">null: one that its type gives.</param>
/// <param name="Limit">Sets the limits, which are those that the checks use; null: its type's.</param>
internal sealed record Word(string Description, JsonNode? Example = null, Action<OpenApiSchema>? Limit = null);

/// <summary>
/// The words of the API, each once: a name means the same wherever it stands. What a name means in one type alone is found under <c>type.name</c>,
/// and what it means as a quantity of services credits under <c>services.name</c>.
/// </summary>
internal static class Glossary
{
    private const string NoControls = @"^[^\u0000-\u001F\u007F-\u009F]*$", NoNul = @"^[^\u0000]*$";
    private const int MaxCreditId = Ids.MaxLength + Ids.MaxMadeLength;

    // Some engines see a letter beyond the basic plane as two surrogates (Cs).
    private const string ExternalWord = @"[\p{L}\p{M}\p{Nd}\p{Cs}._:@+/#-]+", OfExternalId = $"^{ExternalWord}( {ExternalWord})*$";
    private static readonly string OfId = $"^[{Ids.Alphabet.Replace(" ", "", StringComparison.Ordinal)}]+$";

    private static readonly FrozenDictionary<string, Word> Words = new Dictionary<string, Word>
    {
        // Ids.
        ["accountId"] = Id("The account; its id is the caller's, and no other account of any client has it.", "acme-services"),
        ["allocationId"] = Plain("The allocation record that sums up the consumptions: the milestone's id, or the expiry's own.", "kickoff"),
        ["clientId"] = Id("The client whose it is; a key that is bound to a client need not name it.", "acme"),
        ["confirmationToken"] = Id("Confirms the preview; it is kept for 24 hours.", "0199d0c2a7d87b3f9a4e5c6d7e8f9a0b"),
        ["consumptionId"] = Plain("The consumption record: its account and its number.", "acme-services~000000001"),
        ["contractId"] = Id("The contract; its id is the caller's, and no other contract of any client has it.", "acme-2026"),
        ["creditId"] = Plain(
            "The credit: its contract, its lot and its number within the lot.", "acme-2026~L1~000000001", schema => schema.MaxLength = MaxCreditId),
        ["lotId"] = Made("The lot; its id is the caller's or made by the service, and belongs to the contract.", "L1"),
        ["milestoneId"] = Id("The milestone; its id is the caller's, and no other milestone of any client has it.", "kickoff"),
        ["paymentId"] = External("What the credits were paid with; the id is the caller's, or the service's for a billing cycle.", "INV-7", Ids.MaxMadeLength),
        ["playerId"] = External("The player; the id is the caller's and belongs to the client.", "p1"),
        ["projectId"] = Id("The project; its id is the caller's, and no other project of any client has it.", "academy"),
        ["purchaseId"] = Made("The purchase; its id is the caller's or made by the service, and belongs to the account.", "PO-31"),
        ["reportId"] = Id("The report; the id is the caller's and belongs to the client. It stands for one request for ever.", "R1"),
        ["requestId"] = Plain("The request, as in the header Request-Id and in the log.", "0199d0c2a7d87b3f9a4e5c6d7e8f9a0b"),
        ["userId"] = External("The user; the id is the caller's and belongs to the client.", "anna"),

        // Names and texts.
        ["actor"] = Plain("Who caused it: the name of the caller's key, or system for what time does.", "front-office"),
        ["changedBy"] = Plain(
            "Who last assigned, renamed, removed, disabled or enabled the user, or changed what the user may use; null: nobody.", "front-office"),
        ["contractName"] = Name("The contract's name.", "Acme 2026"),
        ["name"] = Name("Its name, for people to read.", "Acme 2026"),
        ["notes"] = new("Notes for people to read; null: none.", "Renewal talks in May", schema =>
            (schema.MaxLength, schema.Pattern) = (Terms.MaxNotes, NoNul)),
        ["playerName"] = Name("The player's name as the report gave it; null: none.", "Ada Finch"),
        ["reason"] = new("Why it is done, for the ledger.", "Goodwill after the outage", schema =>
            (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, Fields.MaxReason, NoControls)),
        ["timeZone"] = Plain("The IANA time zone of its local dates; it stays as it was first set.", "Europe/Berlin"),
        ["usedBy"] = External("The user who used the credit; null: nobody.", "anna"),
        ["version"] = Plain("The version that confirming compares, the same as in the ETag.", "w.3.2026-03-31"),

        // Contracts and lots.
        ["availableFrom"] = At("From when on the lot's credits can be used; by default now, or the contract's first day if that is later."),
        ["anchor"] = On("The first day of the first cycle, from which all others are counted; by default the contract's first day."),
        ["billingCycle"] = Plain("The lot that the contract gets at the start of each cycle; null: none. Not of unlimited contracts."),
        ["coverageDays"] = Whole("How long a player who was charged costs nothing, in days to the same local time.", 30, 1, Terms.MaxDays),
        ["coverageFrom"] = Plain("When coverage begins: with the report (activation), or with the credit, whose expiry then stays (creation)."),
        ["credits"] = Credits("Credits of each cycle's lot.", 100, 1, Lot.MaxQuantity),
        ["endsOn"] = On("The contract's last day, included; null: open-ended. It can move to today or later."),
        ["every"] = Whole("Units from the start of one cycle to the start of the next.", 1, 1, Recurrence.MaxEvery),
        ["quantity"] = Credits("Credits of the lot.", 100, 1, Lot.MaxQuantity),
        ["source"] = Plain("Where the lot's credits came from; minted: the one lot of an unlimited contract, which grows as it is used."),
        ["startsOn"] = On("The first day, included. A contract's stays once it has begun."),
        ["type"] = Plain("metered: the lots limit what can be used. unlimited: each credit is minted as it is used. It stays as it was first set."),
        ["unallocatedLifetimeDays"] = Whole(
            "Days from a lot's availableFrom to the expiry of its unallocated credits; null: with the contract. They never expire after the contract's end.",
            30, 1, Terms.MaxDays),
        ["unit"] = Plain("The unit of a cycle's length."),
        ["voidMinutes"] = Whole("How long consumers may void their own reports, in minutes; 0: never.", 15, 0, Terms.MaxVoidMinutes),

        // Credits.
        ["activatedAt"] = At("When a player was given the credit; null: no player has it."),
        ["createdAt"] = At("When it was created."),
        ["expiresAt"] = At("When it expires: an unallocated credit with its lot, an allocated one as its player's coverage ends; null: never."),
        ["history"] = Plain("The ledger entries that tell of the credit, oldest first."),
        ["status"] = Plain(
            "Whether the credit is in its lot (UNALLOCATED), with a player (ALLOCATED), over (EXPIRED), or taken back from its lot (WITHDRAWN)."),

        // Reports.
        ["at"] = At("The instant as of which it holds; a report's is that of its decision."),
        ["balance"] = Plain("What is left after the report."),
        ["captured"] = Plain("The capture of the hold; null: it was not captured."),
        ["charge"] = Plain("new: the player was charged. covered: the player already had a credit."),
        ["charged"] = Whole("Players charged, one credit each.", 2, 0, null),
        ["covered"] = Whole("Players who already had a credit, and cost nothing.", 1, 0, null),
        ["contractRemaining"] = Credits("Credits that the contract's lots could give now; null: the contract is unlimited.", 98),
        ["dryRun"] = Flag("Only says what would happen: changes and remembers nothing."),
        ["holdSeconds"] = Whole(
            "Makes the report a hold: after so many seconds it voids itself unless it is captured before; null: it is none.",
            60, ChargeReport.MinHold, ChargeReport.MaxHold),
        ["holdUntil"] = At("When the hold ends: unless it was captured by then, its credits go back; null: it is no hold."),
        ["voided"] = Plain("The credits that the report charged and that went back: by a void, a capture for others, or the end of the hold."),
        ["players"] = Plain(
            $"The players of the report, each of whom counts once however often named; at most {Report.MaxPlayers:N0} of them.",
            limit: schema => schema.MinItems = 1),
        ["refusal"] = Plain("Why it would be refused; null: it would succeed. Only where dryRun is true."),
        ["userAvailable"] = Credits("Credits that the user could use now by the allocation; null: nothing limits the user.", 8),

        // What users may use.
        ["amount"] = Credits(
            "Credits that the user may use in each cycle, with fixed in the whole contract; null with unlimited, and without settings.",
            10, 0, Settings.MaxAmount),
        ["applyToAll"] = Flag("Gives the defaults to all users once; those named in users keep their own."),
        ["assigned"] = Flag("Whether the user belongs to the contract. In a change: true assigns, false removes the user."),
        ["changedAt"] = At("When that was; null: never."),
        ["changes"] = Plain("The users whom the change touches, before and after; only in answers to changes and previews."),
        ["contractRemainingCredits"] = Credits("Credits that the contract's lots could give now.", 98),
        ["defaults"] = Plain("The settings that users get who are added later; null: none."),
        ["disabled"] = Flag("Whether the user is disabled, for all contracts of the client."),
        ["enabled"] = Flag("Whether the rules limit users; if not, only the pool does."),
        ["extraCredits"] = Credits("Extra credits granted in all, usable at any time beside the cycle's.", 2, 0, Allocating.MaxExtra),
        ["extraUsed"] = Credits("Extra credits used.", 0),
        ["frequency"] = Whole("Days, weeks or months from one reset to the next, by the renewal; null where nothing recurs.", 1, 1, Recurrence.MaxEvery),
        ["inactiveUsers"] = Plain("The users who have used credits and get none now, by id."),
        ["nextCreditsAt"] = At("When the user's cycle next gives credits: its start if that is to come, else nextRenewalAt; null: never."),
        ["nextRenewalAt"] = At("The instant at which nextRenewalDate begins; null: no reset is to come."),
        ["nextRenewalDate"] = On("The first reset to come, after now and after startDate; null: none within the contract."),
        ["on"] = Plain(
            "The day of a reset: monday to sunday with weekly, 1 to 31 with monthly (in shorter months the last day); null with the others.", "monday"),
        ["poolRunsOutOn"] = On("The local date on which the pool runs out if every user uses every cycle; null: not within the contract or two years."),
        ["renewal"] = Plain(
            "How the amount renews: daily, weekly or monthly; fixed: once for the whole contract; unlimited: only the pool limits. "
            + "In a change null takes the settings away."),
        ["renewalAt"] = At("The instant at which the date begins."),
        ["renewalDate"] = On("The local date of the reset."),
        ["startDate"] = On("The local date on which the first cycle begins: today or later, within the contract; left out, it follows from the renewal."),
        ["startsAt"] = At("The instant at which startDate begins; null: the user has no settings."),
        ["today"] = On("The local date now."),
        ["totalCreditsUsed"] = Credits("Credits used by all users of the contract.", 2),
        ["totalUsed"] = Credits("Credits that the user has used of the contract in all.", 2),
        ["usedInCycle"] = Credits("Credits used of the running cycle.", 0),
        ["users"] = Plain("The users, each once."),
        ["warnings"] = Plain("What may not be meant; only in answers to changes and previews."),

        // Services credits.
        ["actualDate"] = On("The local date on which the milestone was reached; null: not yet."),
        ["allocated"] = Credits("Credits with players.", 2),
        ["available"] = Credits("Credits that could be used now; null: no limit.", 98),
        ["bought"] = Services("Services credits bought.", 100),
        ["currencies"] = Plain("Each currency, by code."),
        ["currency"] = new("The currency, by its code in ISO 4217.", "EUR", schema => schema.Pattern = Currencies.Pattern),
        ["date"] = On("The local date in the account's time zone."),
        ["description"] = new("What people say of the purchase; null: nothing.", "Season 2026, first half", schema =>
            (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, BuyCredits.MaxDescription, NoNul)),
        ["expired"] = Credits("Credits that have expired.", 0),
        ["expiresOn"] = On("The purchase's last day, included: not before startsOn, and today or later when it is made."),
        ["holdings"] = Plain("What the milestone holds of each purchase."),
        ["kind"] = Plain("What happened."),
        ["noAllocationStatuses"] = new("The statuses of a milestone in which its services credits need not be allocated.", new JsonArray("Planned"), schema =>
        {
            schema.MaxItems = ServicesSettings.MaxStatuses;
            if (schema.Items is OpenApiSchema status) (status.MinLength, status.MaxLength) = (1, Planning.MaxStatus);
        }),
        ["number"] = Whole("The record's number within the account, from 1.", 1, 1, null),
        ["purchases"] = Plain("What moved of each purchase; below 0: what was returned to it."),
        ["services.allocated"] = Services("Services credits that milestones hold.", 40),
        ["services.available"] = Services("Services credits that an allocation could take now.", 60),
        ["services.expired"] = Services("Services credits that have expired.", 0),
        ["services.fromEntries"] = Signed("Services credits by the entries.", 40),
        ["services.fromState"] = Signed("Services credits by the state.", 40),
        ["services.quantity"] = Services("Services credits, with at most 4 decimal places.", 40, ServicesCredits.Max),
        ["servicesCredits"] = Services("What the milestone costs, in services credits with at most 4 decimal places.", 40, ServicesCredits.Max),
        ["toAllocate"] = Services("What the allocation would take, in services credits.", 40),
        ["milestoneIds"] = Plain(
            "The milestones, in the order in which they are allocated; left out: all of the project that are not wholly allocated, by id."),
        ["wasAllocated"] = Flag("Whether services credits were ever allocated to the milestone."),

        // Ledger, audits, usage.
        ["after"] = Plain("The subject afterwards, as JSON; null: it has no such state.", new JsonObject { ["name"] = "Acme 2026" }),
        ["balanced"] = Flag("Whether the books balance: the entries give the state."),
        ["before"] = Plain("The subject before, as JSON; null: it was not there.", new JsonObject { ["name"] = "Acme 2025" }),
        ["bookedAt"] = At("When it was booked."),
        ["cause"] = Plain(
            "What caused it: request, renewal, expiry, a report's void, capture or end of hold, or the milestone for which services credits moved.",
            "request"),
        ["checkpoint"] = Whole(
            "The entry up to which the ledger's sums were taken from a checkpoint; unless the audit is full, lots and users alone were compared with the "
            + "ledger then. null: every entry was added up, and every credit and report was counted.", 4_096, 1, null),
        ["day"] = On("The local day, in the contract's time zone; with groupBy=day."),
        ["differences"] = Plain("Every number in which entries and state differ; empty if the books balance."),
        ["effectiveAt"] = At("When it took effect."),
        ["entryId"] = Whole("The entry's number; later entries have higher ones.", 17, 1, null),
        ["fromEntries"] = SignedWhole("Credits by the entries.", 98),
        ["fromState"] = SignedWhole("Credits by the state.", 98),
        ["full"] = Flag(
            "true: adds up every entry that is not archived, counts every credit and report, and compares the checkpoints with the entries, too."),
        ["givenBack"] = Credits("Credits that were given back, by hand, by a void or by the end of a hold, and no longer count as used.", 0),
        ["granted"] = Credits("Credits granted in lots.", 100),
        ["minted"] = Credits("Credits minted as they were used, of an unlimited contract.", 0),
        ["month"] = new("The local month, in the contract's time zone; with groupBy=month.", "2026-03", schema => schema.Pattern = "^[0-9]{4}-[0-9]{2}$"),
        ["reports"] = Whole("Reports made.", 2, 0, null),
        ["subject"] = Plain("What moved or changed: a kind, a colon and a key.", "lot:acme-2026~L1"),
        ["toCharge"] = Credits("Credits that the report would charge.", 3),
        ["unallocated"] = Credits("Credits that no player has and that have not expired.", 98),
        ["withdrawn"] = Credits("Unallocated credits that were taken back from their lot: neither available nor expired.", 0),
        ["used"] = Credits("Credits that users have used.", 2),
        ["usedOf"] = Plain("The right by which the user used the credits: a cycle, or extra.", "cycle:1.1"),
        ["what"] = Plain("The number that differs.", "available"),

        // Directory and lists.
        ["accounts"] = Whole("How many accounts the client has.", 1, 0, null),
        ["burn"] = Plain("How fast the contract's credits are used."),
        ["contracts"] = Whole("How many contracts the client has.", 2, 0, null),
        ["creditsPerDay"] = new("Credits a day over the last 30 days, less those given back, to two places.", 1.5m, schema => schema.Minimum = "0"),
        ["kind"] = Plain("What moved or changed."),
        ["remaining"] = Credits("Credits that the contract's lots could give now; null: the contract is unlimited.", 98),
        ["runsOutOn"] = On(
            "The first local date on which the pool no longer has a day's credits at that rate, known expiries and billing cycles counted; null: there is none "
            + "within the contract and two years."),
        ["state"] = Plain("Whether the contract is before its first day (coming), within its days (running), or after its last (over)."),
        ["used"] = Credits("Credits that all its users have used.", 2),
        [$"{nameof(ContractItem)}.users"] = Whole("How many users are assigned.", 12, 0, null),
        [$"{nameof(ClientSummary)}.users"] = Whole("How many users the client's directory has.", 12, 0, null),
        [$"{nameof(DirectoryBody)}.contracts"] = Plain("Only the service writes it: left out, or as it is."),
        [$"{nameof(UserDocument)}.contracts"] = Plain("The contracts to which the user is, or once was, assigned, by id."),

        ["counts"] = Plain("How many credits there are of each status."),
        ["createdFrom"] = At("The first instant of creation, included; left out: from the beginning."),
        ["createdTo"] = At("The first instant of creation that is no longer included; left out: to the end."),
        ["expiresFrom"] = At("The first instant of expiry, included; left out: from the beginning. What never expires is left out."),
        ["expiresTo"] = At("The first instant of expiry that is no longer included; left out: to the end. What never expires is left out."),
        [$"{nameof(StatusCount)}.credits"] = Whole("How many credits.", 98, 0, null),
        ["total"] = Whole("How many in all.", 100, 0, null),
        ["totals"] = Plain("What all pages add up to."),
        ["firstAt"] = At("When the first of its lots was created."),
        ["lastAt"] = At("When the last of its lots was created."),
        ["lots"] = Whole("How many lots were paid with it.", 1, 0, null),
        [$"{nameof(PaymentDocument)}.quantity"] = Whole("Credits of its lots in all.", 100, 0, null),
        [$"{nameof(CreditItem)}.usedByName"] = Name("The name of the user who used the credit; null: nobody.", "Anna Dahl"),
        ["userName"] = Name("The user's name; null: nobody's.", "Anna Dahl"),
        [$"{nameof(LedgerItem)}.contractName"] = Name("The contract's name; null: it is of no contract.", "Acme 2026"),

        // Statements.
        ["opening"] = Plain("At the end of the day before the first, before what falls due at that midnight."),
        ["closing"] = Plain("At the end of the last day, before what falls due at that midnight; of a day that is not over, now."),
        ["movements"] = Plain("What moved, by kind, payment and user, or by kind, purchase and milestone."),
        ["currencies"] = Plain("Its currencies, in the order of their codes."),
        ["effect"] = Plain("What that adds to the balance."),
        [$"{nameof(Movement)}.credits"] = Signed("Credits that moved; below 0: more were taken back.", 2),
        [$"{nameof(Movement)}.userId"] = External("The user whose report or credit it was; null: nobody's.", "anna"),
        [$"{nameof(ServicesMovement)}.quantity"] = Signed("Services credits that moved.", 40),
        [$"{nameof(ServicesMovement)}.milestoneId"] = Id("The milestone for which they moved; null: for none.", "kickoff"),
        [$"{nameof(Standing)}.unallocated"] = Signed("Unallocated credits; of an effect, what it adds.", 98),
        [$"{nameof(Standing)}.allocated"] = Signed("Allocated credits; of an effect, what it adds.", 2),
        [$"{nameof(Standing)}.withdrawn"] = Signed("Withdrawn credits; of an effect, what it adds.", 0),
        [$"{nameof(Standing)}.expired"] = Signed("Expired credits; of an effect, what it adds.", 0),
        [$"{nameof(ContractStatement)}.from"] = On("Its first day."),
        [$"{nameof(ContractStatement)}.to"] = On("Its last day."),
        [$"{nameof(AccountStatement)}.from"] = On("Its first day."),
        [$"{nameof(AccountStatement)}.to"] = On("Its last day."),
        ["days.from"] = On("The first day, included; left out: the first of the month of the last."),
        ["days.to"] = On("The last day, included; left out: today."),

        // Problems and what operates.
        ["advanceTo"] = At("Where the test clock is to stand; not before its now."),
        ["allowed"] = new("Every possible value, where they are few.", new JsonArray("metered", "unlimited")),
        ["body"] = Plain("What the report alone would have been answered with."),
        ["code"] = Plain("Which warning it is."),
        ["detail"] = Plain("A sentence for people: what must hold, or what follows.", "quantity must be 1 to 999,999,999."),
        ["errors"] = Plain("Every field that is wrong."),
        ["field"] = Plain("The field, header or query parameter that is wrong; of several the first.", "quantity"),
        ["may"] = Plain("What the caller may do."),
        ["now"] = At("Where the test clock stands."),
        ["role"] = Plain("The role of the caller's key."),
        ["title"] = Plain("What the code means.", "A field breaks a rule"),

        // Lists.
        ["cursor"] = Plain("The nextCursor of the page before, which keeps its order; left out, the list begins.", "eyJsIjoiY29udHJhY3RzIn0"),
        ["count"] = Plain("How many resets to tell."),
        ["from"] = At("The first instant, included; left out: from the beginning."),
        ["groupBy"] = Plain("What each line sums up: one or more, with commas between them; by default the contract."),
        ["items"] = Plain("The items, in the order of the list."),
        ["limit"] = Plain("How many items a page has at most."),
        ["order"] = Plain("asc: from the list's beginning. desc: from its end."),
        ["nextCursor"] = Plain("The cursor of the next page; null: this is the last one.", "eyJsIjoiY29udHJhY3RzIn0"),
        ["to"] = At("The first instant that is no longer included; left out: to the end."),

        // What a name means in one type alone.
        [$"{nameof(AllocatedDocument)}.allocated"] = Services("What the milestone then holds, in services credits.", 40),
        [$"{nameof(AllocateBody)}.from"] = Plain(
            "The purchases to take from, chosen by hand, in all what the milestone needs; left out: those that expire first."),
        [$"{nameof(AllocatedItem)}.body"] = Plain("What the milestone alone would have been answered with."),
        [$"{nameof(AllocatedItem)}.status"] = Whole("The status that the milestone alone would have been answered with.", 200, 100, 599),
        [$"{nameof(AllocationRecord)}.type"] = Plain("allocated: to the milestone. expired: of a purchase, without a milestone."),
        [$"{nameof(ChosenBody)}.quantity"] = Services("Services credits to take of the purchase, with at most 4 decimal places.", 40, ServicesCredits.Max),
        [$"{nameof(AdjustBody)}.quantity"] = Services(
            "What the milestone shall cost and hold, in services credits with at most 4 decimal places.", 25, ServicesCredits.Max),
        [$"{nameof(Capture)}.players"] = Plain("The players for whom the report is charged for good."),
        [$"{nameof(CaptureBody)}.players"] = Plain("The players for whom it is captured; left out: all. The others' credits go back."),
        [$"{nameof(UndoneReport)}.givenBack"] = Plain("The credits that went back, of the players named in the request; each once, whenever it was."),
        [$"{nameof(GivenBack)}.reason"] = Plain("Why it was voided; null: the hold ended, or a capture left it out.", "The analysis failed"),
        [$"{nameof(VoidBody)}.players"] = Plain("The players whose credits go back; left out: all."),
        [$"{nameof(BatchItem)}.status"] = Whole("The status that the report alone would have been answered with.", 201, 100, 599),
        [$"{nameof(AllocationRecord)}.quantity"] = Signed("Services credits taken in all; below 0: returned.", 40),
        [$"{nameof(Consumption)}.kind"] = Plain("Whether services credits were allocated, adjusted, or expired."),
        [$"{nameof(Consumption)}.quantity"] = Signed("Services credits taken; below 0: returned.", 40),
        [$"{nameof(CreditBody)}.playerId"] = External("The player who gets the credit; null takes it from its player, and it is in its lot again.", "p1"),
        [$"{nameof(CreditBody)}.status"] = Plain("ALLOCATED gives it to the player, UNALLOCATED takes it back, EXPIRED ends it now; left out, it stays."),
        [$"{nameof(ExtraBody)}.amount"] = new("Extra credits to add; below 0: unused ones to take back; not 0.", 2, schema =>
            (schema.Minimum, schema.Maximum) = (Text(-Allocating.MaxExtra), Text(Allocating.MaxExtra))),
        [$"{nameof(FieldFault)}.field"] = Plain("Where the field is in the request.", "users[0].amount"),
        [$"{nameof(FieldFault)}.reason"] = Plain("What must hold.", "amount must be 0 to 999,999,999."),
        ["checks"] = Plain("What readiness rests on, as it was learnt last."),
        ["clockSkewSeconds"] = new("How far this machine's clock is ahead of the database's, in seconds; below 0: behind.", 0.002m),
        ["clocksAgree"] = Flag("Whether the clocks of this machine and of the database agree within a second."),
        ["feedLagSeconds"] = new("How long entries have been waiting for a transaction that is still open, in seconds.", 0.0m),
        ["inCluster"] = Flag("Whether this process is part of the cluster."),
        ["staying"] = Flag("Whether this process is not about to stop."),
        ["storeReadable"] = Flag("Whether the store can be read."),
        ["storeWritable"] = Flag("Whether the store took what was written last."),
        [$"{nameof(Health)}.status"] = Plain("ready.", "ready"),
        [$"{nameof(Holding)}.quantity"] = Signed("Services credits held of the purchase; where they move, below 0: returned to it.", 40),
        [$"{nameof(InactiveUser)}.status"] = Plain("Why the user gets no credits: disabled, or not-assigned (removed, or without settings)."),
        [$"{nameof(LedgerEntry)}.clientId"] = Plain("The client; * where the entry is about all clients.", "acme"),
        [$"{nameof(LedgerEntry)}.kind"] = Plain("What moved or changed."),
        [$"{nameof(LedgerEntry)}.lotId"] = Plain("The lot; null: the entry is about none.", "L1"),
        [$"{nameof(LedgerEntry)}.quantity"] = Signed("Credits or services credits moved; 0 where none did, below 0 where a movement is taken back.", 100),
        [$"{nameof(Life)}.status"] = Plain("live.", "live"),
        [$"{nameof(Life)}.version"] = Plain("The version of the service.", "0.1.0"),
        [$"{nameof(Me)}.clientId"] = Id("The client to which the key is bound; null: none.", "acme"),
        [$"{nameof(Me)}.name"] = Plain("The name of the caller's key.", "front-office"),
        [$"{nameof(Me)}.userId"] = External("The user to which the key is bound; null: none.", "anna"),
        [$"{nameof(LotPatchBody)}.availableFrom"] = At(
            "While the lot has not begun: from when on its credits can be used, now or later; null: it begins now."),
        [$"{nameof(LotPatchBody)}.expiresAt"] = At(
            "When the lot's unallocated credits expire, but for those with an expiry of their own: in the future, and cut to the contract's end; null: "
            + "with the contract."),
        [$"{nameof(WithdrawBody)}.quantity"] = Credits("Credits to take back, at most the lot's unallocated ones; left out: all of them.", 900, 1, Lot.MaxQuantity),
        [$"{nameof(PurchasePatchBody)}.expiresOn"] = On(
            "The purchase's last day, included: today or later, even once it has expired; what had expired unused is available again."),
        [$"{nameof(PurchasePatchBody)}.quantity"] = Services(
            "Services credits of the purchase, with at most 4 decimal places; not below what milestones hold.", 40, ServicesCredits.Max),
        [$"{nameof(PurchasePatchBody)}.startsOn"] = On("The purchase's first day, included; it stays once the purchase has begun."),
        [$"{nameof(MilestoneBody)}.status"] = Status("The milestone's status, as the client's own process names it; by default None.", 1),
        [$"{nameof(MilestoneDocument)}.status"] = Status("The milestone's status, as the client's own process names it.", 1),
        [$"{nameof(MilestoneBody)}.allocated"] = Services("Only the service writes it: left out, or as it is.", 40),
        [$"{Parameters.Meaning.Milestones}.status"] = Status("The milestone's status, letter for letter.", 1),
        [$"{Parameters.Meaning.Milestones}.allocated"] =
            Flag("true: only milestones whose services credits are wholly allocated, or that cost none. false: only those that still need allocating."),
        [$"{nameof(MilestoneDocument)}.allocated"] = Services("What the milestone holds, in services credits.", 40),
        [$"{nameof(Problem)}.code"] = new("The stable name of the problem.", "invalid-field", schema =>
            schema.Enum = [.. Problems.Codes.Select(code => JsonValue.Create(code))]),
        [$"{nameof(Problem)}.status"] = Whole("The status of the answer.", 422, 400, 599),
        [$"{nameof(Problem)}.type"] = Plain(
            "Where a short page explains the problem.", $"{ProblemPages.Path}/invalid-field", schema => schema.Format = "uri-reference"),
        [$"{nameof(ReportsBody)}.reports"] = Plain("The reports, in the order in which they are made.", limit: schema => schema.MinItems = 1),
        [$"{nameof(ReportBody)}{nameof(ReportBody.Player)}.name"] = Name("The player's name, for people to read; null: none.", "Ada Finch"),
        [$"{nameof(UsersBody)}.items"] = Plain("The same as users, under the name that they have where the list is read."),
        [$"{nameof(UsersBody)}.nextCursor"] = Plain("Must be null: the whole list is sent at once.", JsonNullSentinel.JsonNull),
        [$"{nameof(Warning)}.credits"] = Credits(
            "oversubscribed: the credits missing. fixed-restarts: already used of the amount. cycle-lost: left of the cycle.", 5),
        [$"{nameof(Warning)}.date"] = On("The start date until which the user can use extra credits only, or which never comes."),
    }.ToFrozenDictionary();

    private const string OfArchive = "A time of which entries are archived is refused (archived).";

    /// <summary>What a call does beyond its summary, by its operationId.</summary>
    public static readonly FrozenDictionary<string, string> Notes = new Dictionary<string, string>
    {
        ["putContract"] =
            "What is left out has its default. clientId, type and timeZone stay as they were first set, startsOn once the contract has begun.",
        ["getContracts"] = "name finds a part of the name, in upper or lower case.",
        ["getUsers"] = "name finds a part of the name, in upper or lower case.",
        ["getCredits"] = "status takes one or more, with commas between them. Of each range the beginning is included and the end is not.",
        ["getCreditsSummary"] = "Takes the filters of the list.",
        ["getPayments"] = "With contractId the sums are of that contract's lots.",
        ["getContractStatement"] = "Opening and the effects of all movements make closing. As CSV the opening and the closing are its first and last line. "
            + OfArchive,
        ["getContractBalance"] = OfArchive,
        ["getAccountStatement"] = "In each currency opening and the effects of all movements make closing.",
        ["getLedger"] = "from and to are of the instants at which entries took effect. Entries that are archived are not listed.",
        ["putUser"] = "The user has one name in all contracts of the client. disabled left out is false. Who is new is thereby in the client's directory.",
        ["putContractUsers"] = "Users who are not in the list are removed; those who are in it keep what they may use.",
        ["postUserDisable"] = "A disabled user makes no reports, in any contract of the client, and gets no settings or extra credits.",
        ["patchContractAllocations"] = "What is left out stays. Whoever's settings change begins anew with a full cycle; what was used in all stays.",
        ["postContractAllocationsPreview"] =
            "Changes nothing. The answer is the window as it would be, with every change, the warnings and a confirmationToken.",
        ["postContractAllocationsConfirm"] =
            "All of it or nothing; refused if the allocation has changed since the preview. Use does not count. A token that was confirmed "
            + "gets its first answer again.",
        ["postReports"] =
            "All or nothing: every player without coverage is charged one credit, from the lots that expire first. The same reportId with "
            + "the same contract, user and players gets the first answer again, for ever. With dryRun nothing is charged or remembered. With "
            + "holdSeconds the report voids itself at the end of that time unless it is captured; until then its players count as covered.",
        ["postReportVoid"] =
            "Each credit returns to its lot, and its use to the user; what the report answered stays. Credits whose coverage is over are not "
            + "given back. Again, the answer is the same. A consumer may void its own reports for the contract's voidMinutes, and a hold until it is captured.",
        ["postReportCapture"] =
            "Only before the end of the hold. The captured players stay covered as by any report; the others' credits go back at once. Again, "
            + "for the same players, the answer is the same.",
        ["postReportsBatch"] =
            "One after another, in their order; each item tells what the report alone would have been answered. An Idempotency-Key counts "
            + "for each by its place.",
        ["patchCredit"] =
            "What is left out stays. ALLOCATED with a playerId gives the credit to the player; UNALLOCATED, or a playerId of null, returns "
            + "it to its lot and its use to the user; EXPIRED ends it now, and a future expiresAt brings it back.",
        ["patchContractLot"] = "What is left out stays. A lot that has expired stays expired; credits with an expiry of their own keep it.",
        ["postContractLotWithdraw"] =
            "Corrects a lot that was granted too large: the credits are WITHDRAWN, neither available nor expired. What players have stays theirs.",
        ["getLedgerFeed"] = "Every entry once, in the order of booking: whoever comes back with the id of the last event misses none and sees none twice.",
        ["getContractBalance"] = "The past is what was answered then; the future adds the billing cycles and expiries that are known now.",
        ["postMilestoneAllocate"] = "Takes from the purchases that expire first, or from those chosen by hand, all or nothing.",
        ["postProjectAllocate"] = "What is refused to one milestone does not keep the others from theirs; all that is allocated is so in one commit.",
        ["postMilestoneAdjust"] = "What becomes free goes back to the purchases that expire last.",
        ["postClock"] = "Only forward, and only where the service was started with a test clock.",
    }.ToFrozenDictionary();

    /// <summary>What each tag gathers.</summary>
    public static readonly (string Name, string Description)[] Tags =
    [
        ("contracts", "The agreements that hold credits, and their terms."),
        ("users", "The users of contracts: assigned, removed, disabled."),
        ("allocations", "What each user may use of a contract, and how that renews."),
        ("lots", "Credits that came together: a purchase, a billing cycle, a grant by hand."),
        ("reports", "Requests to analyse players. Each player who is not covered is charged one credit."),
        ("credits", "Single credits, and editing them by hand."),
        ("ledger", "The immutable record of all that happened, its audit, and balances at any instant."),
        ("usage", "What reports have used, added up."),
        ("accounts", "Accounts of services credits, their purchases and records."),
        ("projects", "Projects, whose milestones are paid with services credits."),
        ("milestones", "Milestones, and the services credits that they hold."),
        ("settings", "Settings of all accounts."),
        ("operation", "Health, the test clock, and who the caller is."),
    ];

    /// <summary>The word for a field of a type, or for a parameter (type: null); null: there is none yet.</summary>
    /// <param name="declaring">The type that the field came from.</param>
    public static Word? Find(string? type, string name, bool isServices = false, string? declaring = null) =>
        Words.GetValueOrDefault($"{type}.{name}") ?? Words.GetValueOrDefault($"{declaring}.{name}")
        ?? (isServices ? Words.GetValueOrDefault($"services.{name}") : null) ?? Words.GetValueOrDefault(name);

    private static Word Plain(string description, JsonNode? example = null, Action<OpenApiSchema>? limit = null) => new(description, example, limit);

    // Who chooses it may take so many characters of these.
    private static Word Id(string description, string example) => Id(description, example, Ids.MaxLength);

    // The service may have made it, and its ids are longer.
    private static Word Made(string description, string example) => Id(description, example, Ids.MaxMadeLength);

    private static Word Id(string description, string example, int most) =>
        new(description, example, schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, most, OfId));

    // People and other systems gave it.
    private static Word External(string description, string example, int most = Ids.MaxLength) =>
        new(description, example, schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, most, OfExternalId));

    private static Word Name(string description, string example) =>
        new(description, example, schema => (schema.MaxLength, schema.Pattern) = (Fields.MaxName, NoControls));

    private static Word Status(string description, int least) =>
        new(description, "Planned", schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (least, Planning.MaxStatus, NoControls));

    private static Word Flag(string description) => new(description, true);

    private static Word At(string description) =>
        new($"{description} RFC 3339, in the years {Calendar.MinDate.Year} to {Calendar.MaxDate.Year}.", "2026-03-31T12:00:00Z");

    private static Word On(string description) =>
        new($"{description} A local date in the years {Calendar.MinDate.Year} to {Calendar.MaxDate.Year}.", "2026-03-31");

    private static Word Credits(string description, long example, long least = 0, long? most = null) => Whole(description, example, least, most);

    private static Word Whole(string description, long example, long least, long? most) =>
        new(description, example, schema => (schema.Minimum, schema.Maximum) = (Text(least), most is { } number ? Text(number) : null));

    private static Word SignedWhole(string description, long example) => new(description, example);

    private static Word Services(string description, decimal example, decimal? most = null) =>
        new(description, example, schema => (schema.Minimum, schema.Maximum) = ("0", most?.ToString(CultureInfo.InvariantCulture)));

    private static Word Signed(string description, decimal example) => new(description, example);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
