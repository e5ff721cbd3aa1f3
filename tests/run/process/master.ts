/** A supervisor as a process of its own: takes specifications as JSON, and prints every event as a line of JSON. */
import { handleSignals, supervise } from "../../../src/run/process/mod.ts";

const [specs, controlPath] = Deno.args;
const supervisor = await supervise(JSON.parse(specs), { controlPath, log: () => {} });
const print = (value: unknown): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
};
const events = supervisor.events();
print({ type: "addresses", addresses: supervisor.names.map((name) => supervisor.addresses(name)) });
(async () => {
  for await (const event of events) print(event);
})();
const { gaveUp } = await handleSignals(supervisor);
Deno.exit(gaveUp.length === 0 ? 0 : 1);
