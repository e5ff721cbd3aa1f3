/**
 * Millrace's supervisor over HTTP servers: `kills COUNT`, of one worker, prints one JSON object. `reloads COUNT WORKERS` prints its address, reloads
 * so often when a line comes, and prints one JSON object then.
 */
import { handleSignals, supervise, type Supervisor } from "../../src/run/process/mod.ts";
import { measureKills } from "./kills.mjs";
import { measureReloads } from "./reloads.mjs";

const [what, count, workers] = [Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2] ?? 1)];

/** Calls that wait for the next event of a type. */
const waiting = new Map<string, () => void>();

async function follow(supervisor: Supervisor): Promise<void> {
  for await (const { type } of supervisor.events()) waiting.get(type)?.();
}

const supervisor = await supervise([{
  name: "web",
  command: Deno.execPath(),
  args: ["run", "-A", new URL("./millrace_http_worker.ts", import.meta.url).pathname],
  instances: workers,
  listen: [{ name: "http", hostname: "127.0.0.1", port: 0 }],
  ready: { kind: "message" },
  // However often one is killed, it is started again at once.
  restart: { stableMs: 0, restartsMax: 10_000 },
}]);
const ended = handleSignals(supervisor);
void follow(supervisor);
await supervisor.ready();
const address = supervisor.addresses("web").http;
if (!("port" in address)) throw new Error("the socket has no port");
if (what === "kills") {
  const figures = await measureKills(
    count,
    address.port,
    () => supervisor.status()[0].pid,
    () => new Promise<void>((resolve) => waiting.set("exited", resolve)),
  );
  print(JSON.stringify(figures));
  await supervisor.shutdown();
} else {
  print(`listening on 127.0.0.1:${address.port}`);
  await Deno.stdin.read(new Uint8Array(100));
  print(JSON.stringify(await measureReloads(count, () => supervisor.reload("web"))));
}
await ended;
Deno.exit(0);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
