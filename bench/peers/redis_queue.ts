/**
 * A list of Redis between processes: `throughput BYTES PAIRS` or `wake BYTES COUNT`, over a Unix socket of a server of its own. Prints one JSON
 * object. The other processes are this program, too, with `--part` before what they do.
 */
import process from "node:process";
import { monotonicNs } from "../../ffi/mod.ts";
import { command, connect, type RedisClient, withRedis } from "./redis_client.ts";

const TOTAL = 200_000;
const PIPELINED = 64;
const PAUSE_MS = 3;
const KEY = "jobs";
/** The message behind the last of each consumer. */
const END = "end";
const encoder = new TextEncoder();

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

async function part([what, path, ...words]: string[]): Promise<void> {
  const client = await connect(path);
  const [first, second] = words.map(Number);
  const startNs = cpuNs();
  if (what === "produce") {
    const push = command("LPUSH", KEY, "1".repeat(first));
    for (let sent = 0; sent < second; sent += PIPELINED) {
      await client.send(push, PIPELINED);
      for (let index = 0; index < PIPELINED; index++) await client.line();
    }
    print({ cpuNs: cpuNs() - startNs });
  } else if (what === "consume") {
    const pop = command("RPOP", KEY, String(PIPELINED));
    const wait = command("BRPOP", KEY, "0");
    let firstNs = 0;
    for (let isEnded = false; !isEnded;) {
      await client.send(pop);
      let messages = await client.reply();
      if (messages === undefined) {
        await client.send(wait);
        messages = (await client.reply() ?? []).slice(1);
      }
      if (firstNs === 0) firstNs = monotonicNs();
      const ends = messages.filter((message) => message === END);
      if (ends.length === 0) continue;
      isEnded = true;
      // One for each consumer: the others that came with this one's are theirs.
      for (const _ of ends.slice(1)) {
        await client.send(command("LPUSH", KEY, END));
        await client.line();
      }
    }
    print({ cpuNs: cpuNs() - startNs, firstNs, lastNs: monotonicNs() });
  } else {
    const times = new Float64Array(first);
    const wait = command("BRPOP", KEY, "0");
    for (let index = 0; index < first; index++) {
      await client.send(wait);
      const [, message] = await client.reply() ?? [];
      times[index] = monotonicNs() - Number(message);
    }
    times.sort();
    print({ p50Ns: times[first >> 1], p99Ns: times[Math.floor(first * 0.99)] });
  }
}

function start(...words: (string | number)[]): Promise<Record<string, number>> {
  const args = ["run", "-A", "--no-check", new URL(import.meta.url).pathname, "--part", ...words.map(String)];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).output()
    .then(({ stdout }) => JSON.parse(new TextDecoder().decode(stdout)));
}

function print(figures: Record<string, number>): void {
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(figures)}\n`));
}

async function main([what, bytes, number]: string[]): Promise<void> {
  await withRedis(async (path) => {
    const client = await connect(path);
    if (what === "throughput") await throughput(client, path, bytes, Number(number));
    else await wake(client, path, Number(number));
  });
}

async function throughput(client: RedisClient, path: string, bytes: string, pairs: number): Promise<void> {
  const share = Math.ceil(TOTAL / pairs / PIPELINED) * PIPELINED;
  const before = await serverCpuNs(client);
  const consuming = Array.from({ length: pairs }, () => start("consume", path));
  const producers = await Promise.all(
    Array.from({ length: pairs }, () => start("produce", path, bytes, share)),
  );
  for (let index = 0; index < pairs; index++) {
    await client.send(command("LPUSH", KEY, END));
    await client.line();
  }
  const consumers = await Promise.all(consuming);
  const cpu = [...producers, ...consumers].reduce(
    (sum, { cpuNs }) => sum + cpuNs,
    await serverCpuNs(client) - before,
  );
  const seconds = (Math.max(...consumers.map(({ lastNs }) => lastNs)) -
    Math.min(...consumers.map(({ firstNs }) => firstNs))) / 1e9;
  print({ messagesPerSecond: share * pairs / seconds, cpuNsPerMessage: cpu / (share * pairs) });
}

async function wake(client: RedisClient, path: string, count: number): Promise<void> {
  const result = start("wake", path, count);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await client.send(command("LPUSH", KEY, String(monotonicNs())));
    await client.line();
  }
  print(await result);
}

/** Processor time of the server. */
async function serverCpuNs(client: RedisClient): Promise<number> {
  await client.send(command("INFO", "cpu"));
  await client.line();
  let seconds = 0;
  for (let line = await client.line(); line !== ""; line = await client.line()) {
    if (/^used_cpu_(user|sys):/.test(line)) seconds += Number(line.split(":")[1]);
  }
  return seconds * 1e9;
}

if (Deno.args[0] === "--part") await part(Deno.args.slice(1));
else await main(Deno.args);
Deno.exit(0);
