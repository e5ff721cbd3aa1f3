import { assert, assertEquals } from "@std/assert";
import { isOnPath } from "./command.ts";
import type { Cores } from "./cores.ts";
import { figuresOf } from "./figures.ts";
import {
  handOverContestants,
  killContestants,
  reloadContestants,
  stateContestants,
  taskRateContestants,
  taskTripContestants,
} from "./process_contestants.ts";
import { measureReloads, requestCount } from "./reloads.ts";
import type { Contestant } from "./rounds.ts";

const UNPINNED: Cores = { server: undefined, load: undefined, pinner: undefined, description: "not pinned" };

/** Has a contestant measure, where it is there; all its figures have to be above 0. */
async function expectFigures(contestants: readonly Contestant[], id: string): Promise<void> {
  const found = await contestants.find((contestant) => contestant.id === id)?.find();
  assert(found !== undefined, id);
  if (found.state === "unavailable") return;
  const figures = await figuresOf<Record<string, number>>(found.command);
  assert(
    Object.keys(figures).length > 0 && Object.values(figures).every((figure) => figure > 0),
    JSON.stringify(figures),
  );
}

for (const id of ["millrace-pool", "millrace-pool-portable", ...isOnPath("node") ? ["node-cluster"] : []]) {
  Deno.test(`taskTripContestants(): ${id} has figures`, () => expectFigures(taskTripContestants(), id));
}

Deno.test("taskRateContestants(): two workers have figures", () =>
  expectFigures(taskRateContestants(4, 2), "millrace-pool"));

for (const { id } of killContestants(2)) {
  Deno.test(`killContestants(): ${id} serves again each time`, () => expectFigures(killContestants(2), id));
}

Deno.test("reloadContestants(): reloads of a supervisor fail no request", async () => {
  const [supervisor] = reloadContestants(2, 2);
  const found = await supervisor.find();
  assert(found.state === "ready");
  const round = await measureReloads(found.command, UNPINNED);
  // A machine with much to do may answer late; none is lost.
  const failed = round.loads.flatMap(({ errors }) => Object.entries({ ...errors, timeout: 0 })).filter((
    [, count],
  ) => count > 0);
  assertEquals([round.reloads, failed], [2, []]);
  assert(requestCount(round) > 0 && round.maxMs >= round.p50Ms && round.p50Ms > 0);
});

for (const { id } of stateContestants("get").filter(({ id }) => !id.startsWith("millrace-call"))) {
  Deno.test(`stateContestants(): ${id} has figures`, () => expectFigures(stateContestants("get"), id));
}

for (const { id } of handOverContestants(5)) {
  Deno.test(`handOverContestants(): ${id} has figures`, () => expectFigures(handOverContestants(5), id));
}
