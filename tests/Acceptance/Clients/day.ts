// A whole day with the client of openapi-typescript: every call and field is checked by the compiler.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

type Problem = components["schemas"]["Problem"];

const api = createClient<paths>({ baseUrl: process.argv[2] });
const contractId = "day-ts";

/** The answer's body; fails where it is a problem. */
async function ok<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (data === undefined) throw new Error(`${response.url} answered ${response.status}: ${JSON.stringify(error)}`);
  return data;
}

/** Fails unless both are the same. */
function same<T>(expected: T, actual: T) {
  if (expected !== actual) throw new Error(`expected ${expected}, got ${actual}`);
}

const path = { contractId };
await ok(api.PUT("/v1/contracts/{contractId}", {
  params: { path },
  body: { clientId: "day-ts", name: "A day", type: "metered", startsOn: "2020-01-01", endsOn: null, billingCycle: { unit: "month", credits: 5, anchor: "2020-01-31" } },
}));
const users = await ok(api.PUT("/v1/contracts/{contractId}/users", { params: { path }, body: { users: [{ userId: "ana", name: "Ana" }, { userId: "bo", name: "Bo" }] } }));
same(2, users.items.length);
const lot = await ok(api.POST("/v1/contracts/{contractId}/lots", { params: { path, header: { "Idempotency-Key": "day-ts-1" } }, body: { paymentId: "INV-1", quantity: 20 } }));
same("purchase", lot.source);

const change: components["schemas"]["AllocationBody"] = {
  enabled: true,
  users: [{ userId: "ana", amount: 2, renewal: "weekly", on: "monday", startDate: null }, { userId: "bo", amount: 3, renewal: "monthly", on: 31, extraCredits: 1 }],
};
change.users![0].startDate = (await ok(api.GET("/v1/contracts/{contractId}/allocations", { params: { path } }))).today;
const preview = await ok(api.POST("/v1/contracts/{contractId}/allocations/preview", { params: { path }, body: change }));
same("no-credits-until", preview.warnings!.find(warning => warning.userId === "bo")!.code);
const window = await ok(api.POST("/v1/contracts/{contractId}/allocations/confirm", { params: { path }, body: { confirmationToken: preview.confirmationToken! } }));
same("monday,31", window.users.map(user => user.on).join());

const report = { reportId: "R1", contractId, userId: "ana", players: [{ playerId: "p1", name: "Ada Finch" }, { playerId: "p2" }] };
const rehearsal = await ok(api.POST("/v1/reports", { body: { ...report, dryRun: true } }));
same(null, rehearsal.refusal ?? null);
const made = await api.POST("/v1/reports", { body: report });
same(201, made.response.status);
same(2, made.data!.charged);
const again = await api.POST("/v1/reports", { body: report });
same("true", again.response.headers.get("Idempotency-Replayed"));
const refused = await api.POST("/v1/reports", { body: { reportId: "R2", contractId, userId: "ana", players: [{ playerId: "p3" }] } });
const problem: Problem = refused.error!;
same("insufficient-allocation", problem.code);
same(0, problem.userAvailable!);

const creditId = made.data!.players[0].creditId!;
const credit = await ok(api.PATCH("/v1/credits/{creditId}", { params: { path: { creditId } }, body: { status: "UNALLOCATED", reason: "by mistake" } }));
same(null, credit.playerId);
const allocated = await ok(api.GET("/v1/credits", { params: { query: { contractId, status: ["ALLOCATED"] } } })) as { items: { playerId: string | null }[] };
same("p2", allocated.items.map(item => item.playerId).join());
const audit = await ok(api.GET("/v1/contracts/{contractId}/audit", { params: { path } }));
same(true, audit.balanced);
same(1, audit.used);
console.log("done");
