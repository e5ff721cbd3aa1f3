/**
 * A list of Redis between processes: `throughput BYTES PAIRS` or `wake BYTES COUNT`, over a Unix socket of a server of its own. Prints one JSON
 * object. The other processes are this program, too, with `--part` before what they do.
 */
import process from "node:process";
import { monotonicNs } from "../../ffi/mod.ts";

const TOTAL = 200_000;
const PIPELINED = 64;
const PAUSE_MS = 3;
const KEY = "jobs";
/** The message behind the last of each consumer. */
const END = "end";
const encoder = new TextEncoder();

/** As much of Redis's protocol as this needs: commands out, replies counted or read. */
class Client {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(1 << 16);
  #text = "";
  readonly #decoder = new TextDecoder("latin1");

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async send(command: string, count = 1): Promise<void> {
    const bytes = encoder.encode(command.repeat(count));
    for (let written = 0; written < bytes.length;) written += await this.#conn.write(bytes.subarray(written));
  }

  /** The next line. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const count = await this.#conn.read(this.#buffer);
      if (count === null) throw new Error("redis has closed the connection");
      this.#text += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
  }

  /** A bulk string, or an array of them; undefined for none. */
  async reply(): Promise<string[] | undefined> {
    const head = await this.line();
    const count = Number(head.slice(1));
    if (head[0] === ":" || head[0] === "+") return [head.slice(1)];
    if (count < 0) return undefined;
    if (head[0] === "$") return [await this.line()];
    const values: string[] = [];
    for (let index = 0; index < count; index++) values.push(...await this.reply() ?? []);
    return values;
  }
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

async function connect(path: string): Promise<Client> {
  for (let attempt = 0;; attempt++) {
    try {
      return new Client(await Deno.connect({ transport: "unix", path }));
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

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
  const directory = await Deno.makeTempDir({ prefix: "millrace_bench_" });
  const path = `${directory}/redis.sock`;
  const server = new Deno.Command("redis-server", {
    args: ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", directory],
    stdout: "null",
  }).spawn();
  try {
    const client = await connect(path);
    if (what === "throughput") {
      const pairs = Number(number);
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
    } else {
      const result = start("wake", path, number);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (let index = 0; index < Number(number); index++) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        await client.send(command("LPUSH", KEY, String(monotonicNs())));
        await client.line();
      }
      print(await result);
    }
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(directory, { recursive: true });
  }
}

/** Processor time of the server. */
async function serverCpuNs(client: Client): Promise<number> {
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
