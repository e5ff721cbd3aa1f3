/** Values in Redis over a Unix socket of a server of its own: `get|set PIPELINED`. Prints one JSON object. */
import { command, connect, withRedis } from "./redis_client.ts";

const KEYS = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
const VALUE = "1".repeat(64);
const WARM_UP_MS = 500;
const RUN_MS = 1000;

const [what, pipelined] = [Deno.args[0], Number(Deno.args[1])];

await withRedis(async (path) => {
  const client = await connect(path);
  const sets = KEYS.map((key) => command("SET", key, VALUE));
  for (const set of sets) {
    await client.send(set);
    await client.line();
  }
  const commands = what === "set" ? sets : KEYS.map((key) => command("GET", key));
  const run = async (ms: number): Promise<number> => {
    const startMs = performance.now();
    const endMs = startMs + ms;
    let count = 0;
    while (performance.now() < endMs) {
      let text = "";
      for (let index = 0; index < pipelined; index++) text += commands[count++ % commands.length];
      await client.send(text);
      for (let index = 0; index < pipelined; index++) {
        const [reply] = await client.reply() ?? [];
        if (reply !== (what === "set" ? "OK" : VALUE)) throw new Error(`redis replied ${reply}`);
      }
    }
    return count / (performance.now() - startMs) * 1000;
  };
  await run(WARM_UP_MS);
  const perSecond = await run(RUN_MS);
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ perSecond })}\n`));
});
Deno.exit(0);
