import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { ManualClock, SeededRandom } from "../../../src/base/mod.ts";
import { RestartPolicy, type RestartRules } from "../../../src/run/process/mod.ts";

const RULES: RestartRules = {
  policy: "always",
  delayMs: 100,
  delayMsMax: 1000,
  factor: 2,
  jitter: 0,
  restartsMax: 100,
  windowMs: 60_000,
  stableMs: 5000,
};

function policyOf(
  rules: Partial<RestartRules> = {},
  seed = 1,
): { policy: RestartPolicy; clock: ManualClock } {
  const clock = new ManualClock();
  return { policy: new RestartPolicy({ ...RULES, ...rules }, clock, new SeededRandom(seed)), clock };
}

function delays(policy: RestartPolicy, count: number, ranMs = 0): number[] {
  return Array.from({ length: count }, () => {
    const decision = policy.decide(ranMs, false);
    assertStrictEquals(decision.kind, "restart");
    return decision.kind === "restart" ? decision.delayMs : NaN;
  });
}

Deno.test("RestartPolicy.decide() restarts at once, then waits twice as long each time, up to the limit", () => {
  assertEquals(delays(policyOf().policy, 7), [0, 100, 200, 400, 800, 1000, 1000]);
  assertEquals(delays(policyOf({ factor: 1, delayMs: 50 }).policy, 4), [0, 50, 50, 50]);
  assertEquals(
    delays(policyOf({ factor: 1000, delayMsMax: 365e8, restartsMax: 1000 }).policy, 300).at(-1),
    365e8,
    "no overflow",
  );
});

Deno.test("RestartPolicy.decide() begins anew when an instance was stable", () => {
  const { policy } = policyOf();
  assertEquals(delays(policy, 3, 4999), [0, 100, 200]);
  assertEquals(delays(policy, 1, 5000), [0]);
  assertEquals(delays(policy, 2, 1), [100, 200]);
});

Deno.test("RestartPolicy.decide() gives up after more restarts within the window than allowed, and not before", () => {
  const { policy, clock } = policyOf({ restartsMax: 3, windowMs: 1000 });
  delays(policy, 3);
  assertEquals(policy.decide(0, false), { kind: "give-up", restartCount: 3 });
  clock.advance(999);
  assertStrictEquals(policy.decide(0, false).kind, "give-up");
  clock.advance(1);
  assertStrictEquals(policy.decide(0, false).kind, "restart", "the first three are out of the window");
});

Deno.test("RestartPolicy.decide() never gives up one that ends more slowly than the window allows", () => {
  const { policy, clock } = policyOf({ restartsMax: 3, windowMs: 1000 });
  for (let end = 0; end < 1000; end++) {
    clock.advance(334);
    assertStrictEquals(policy.decide(334, false).kind, "restart");
  }
});

Deno.test("RestartPolicy.decide() counts restarts of stable instances as well", () => {
  const { policy, clock } = policyOf({ restartsMax: 2, windowMs: 60_000, stableMs: 0 });
  assertEquals(delays(policy, 2, 10_000), [0, 0]);
  clock.advance(10_000);
  assertStrictEquals(policy.decide(10_000, false).kind, "give-up");
});

Deno.test("RestartPolicy.decide() goes by the policy", () => {
  assertEquals(policyOf({ policy: "never" }).policy.decide(0, false), { kind: "done" });
  const onFailure = policyOf({ policy: "on-failure" }).policy;
  assertEquals(onFailure.decide(0, true), { kind: "done" });
  assertEquals(onFailure.decide(0, false), { kind: "restart", delayMs: 0 });
  assertEquals(policyOf().policy.decide(0, true), { kind: "restart", delayMs: 0 });
  assertEquals(policyOf({ restartsMax: 0 }).policy.decide(0, false), {
    kind: "give-up",
    restartCount: 0,
  });
});

Deno.test("RestartPolicy.decide() spreads delays by its share of chance, the same for the same seed", () => {
  const spread = (seed: number) =>
    delays(policyOf({ jitter: 0.5, delayMsMax: 300, delayMs: 200 }, seed).policy, 90).slice(1);
  const all = [1, 2, 3].flatMap(spread);
  assert(all.every((ms) => ms >= 100 && ms <= 300), `${Math.min(...all)} to ${Math.max(...all)}`);
  assert(Math.min(...all) < 180 && Math.max(...all) > 280, "the whole range is used");
  assertEquals(spread(7), spread(7));
  assertNotEquals(spread(7), spread(8));
});

Deno.test("RestartPolicy.reset() forgets what was", () => {
  const { policy } = policyOf({ restartsMax: 2 });
  delays(policy, 2);
  policy.reset();
  assertEquals(delays(policy, 2), [0, 100]);
});
