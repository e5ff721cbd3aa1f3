/**
 * Millrace's queue between processes: `throughput BYTES PAIRS BATCH 0|1` (1: the consumer takes them in place), `wake BYTES COUNT 0|1` (1: it holds up its thread), `request COUNT`, `recover COUNT` or `idle SECONDS CAPACITY CALL`. `twin` before these: without native code for its steps. Prints
 * one JSON object. The other processes are this program, too, with `--part` before what they do.
 */
import process from "node:process";
import { monotonicNs } from "../../ffi/mod.ts";
import { FastPath } from "../../src/ipc/queue/fast_path.ts";
import { SharedMailbox, SharedQueue } from "../../src/ipc/queue/mod.ts";

const TOTAL = 2_000_000;
const WARM_UP = 200_000;
const CAPACITY = 1024;
const PAUSE_MS = 3;
/** Messages after which the code is compiled. */
const COMPILED = 30_000;
/** Looks at an empty or full queue before a process sleeps: some tens of microseconds, about what waking takes. */
const SPINS = 100;
const END = 2;
const TWIN = Deno.args.slice(0, 1).filter((word) => word === "twin");

/** A process of this program's, and what it prints. */
interface Part {
  go(): Promise<void>;
  result(): Promise<Record<string, number>>;
  kill(): void;
}

function start(...words: (string | number)[]): { ready: Promise<unknown>; part: Part } {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL(import.meta.url).pathname,
      ...TWIN,
      "--part",
      ...words.map(String),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const line = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf("\n");
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 1);
        return found;
      }
      const { value, done } = await lines.read();
      if (done) throw new Error(`the part ${words.join(" ")} ended early`);
      text += value;
    }
  };
  const input = child.stdin.getWriter();
  return {
    ready: line(),
    part: {
      go: () => input.write(new TextEncoder().encode("\n")),
      result: async () => JSON.parse(await line()),
      kill: () => child.kill("SIGKILL"),
    },
  };
}

async function startAll(parts: { ready: Promise<unknown>; part: Part }[]): Promise<Part[]> {
  await Promise.all(parts.map(({ ready }) => ready));
  for (const { part } of parts) await part.go();
  return parts.map(({ part }) => part);
}

/** Says that it is there, and waits to be told to begin. */
async function begin(): Promise<void> {
  print("ready");
  await Deno.stdin.read(new Uint8Array(10));
}

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

async function produce(queue: SharedQueue, bytes: number, count: number, batch: number): Promise<void> {
  const message = new Uint8Array(bytes).fill(1);
  const messages = new Array<Uint8Array>(batch).fill(message);
  await begin();
  const startNs = cpuNs();
  if (batch > 1) {
    for (let sent = 0; sent < count; sent += batch) {
      let from = 0;
      for (
        let spins = 0;
        (from += queue.trySendMany(from === 0 ? messages : messages.slice(from))) < batch;
      ) {
        if (++spins % SPINS === 0) queue.sendSync(message), from++;
        else Atomics.pause();
      }
    }
  } else {
    for (let sent = 0; sent < count; sent++) {
      for (let spins = 0; !queue.trySend(message);) {
        if (++spins < SPINS) Atomics.pause();
        else {
          queue.sendSync(message);
          break;
        }
      }
    }
  }
  print(JSON.stringify({ cpuNs: cpuNs() - startNs }));
}

async function consume(queue: SharedQueue, batch: number, warmUp: number, inPlace: boolean): Promise<void> {
  await begin();
  const startNs = cpuNs();
  let [received, firstNs, firstCount, spins, ends] = [0, 0, 0, 0, 0];
  const take = (kind: number): void => {
    if (kind === END) ends++;
    else received++;
  };
  const onMessage = (bytes: Uint8Array, at: number): void => take(bytes[at]);
  const receiveAny = (): number => {
    if (inPlace) return queue.drainInPlace(onMessage, batch);
    const messages = batch > 1 ? queue.tryReceiveMany(batch) : [queue.tryReceive()];
    if (messages[0] === undefined) return 0;
    for (const message of messages) take(message?.data[0] ?? 0);
    return messages.length;
  };
  while (ends === 0) {
    if (receiveAny() === 0) {
      if (++spins < SPINS) Atomics.pause();
      else {
        spins = 0;
        take(queue.receiveSync()?.data[0] ?? 0);
      }
      continue;
    }
    spins = 0;
    if (firstNs === 0 && received >= warmUp) [firstNs, firstCount] = [monotonicNs(), received];
  }
  const lastNs = monotonicNs();
  // One for each consumer: those that came with this one's are the others'.
  for (; ends > 1; ends--) await queue.send(new Uint8Array([END]));
  print(JSON.stringify({ cpuNs: cpuNs() - startNs, received: received - firstCount, firstNs, lastNs }));
}

async function throughput(bytes: number, pairs: number, batch: number, inPlace: number): Promise<void> {
  using queue = create(bytes);
  const warmUp = Math.floor(WARM_UP / pairs);
  const share = Math.ceil((TOTAL + WARM_UP) / pairs / batch) * batch;
  const parts = Array.from({ length: pairs }, () => [
    start("consume", queue.name, batch, warmUp, inPlace),
    start("produce", queue.name, bytes, share, batch),
  ]).flat();
  const running = await startAll(parts);
  const producers = running.filter((_, index) => index % 2 === 1);
  const consumers = running.filter((_, index) => index % 2 === 0);
  const sent = await Promise.all(producers.map((part) => part.result()));
  for (let index = 0; index < pairs; index++) await queue.send(new Uint8Array([END]));
  const received = await Promise.all(consumers.map((part) => part.result()));
  // Each consumer's own rate, from its warm-up to its end: together they are the queue's.
  const messagesPerSecond = received.reduce(
    (sum, { received, firstNs, lastNs }) => sum + received / (lastNs - firstNs) * 1e9,
    0,
  );
  const cpu = [...sent, ...received].reduce((sum, { cpuNs }) => sum + cpuNs, 0);
  print(JSON.stringify({
    messagesPerSecond,
    cpuNsPerMessage: cpu / (share * pairs),
  }));
}

async function wake(bytes: number, count: number, isBlocking: number): Promise<void> {
  using queue = create(bytes);
  const [part] = await startAll([start("wake", queue.name, count, isBlocking)]);
  const message = new Float64Array(Math.ceil(bytes / 8));
  for (let index = 0; index < COMPILED; index++) {
    while (!queue.trySend(new Uint8Array(message.buffer, 0, bytes))) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    message[0] = monotonicNs();
    queue.trySend(new Uint8Array(message.buffer, 0, bytes));
  }
  print(JSON.stringify(await part.result()));
}

async function wakePart(queue: SharedQueue, count: number, isBlocking: boolean): Promise<void> {
  await begin();
  const times = new Float64Array(count);
  for (let index = -COMPILED; index < count; index++) {
    const message = isBlocking ? queue.receiveSync() : await queue.receive();
    if (message === undefined) throw new Error("no message came");
    const { data } = message;
    const ns = monotonicNs() - new DataView(data.buffer, data.byteOffset).getFloat64(0, true);
    if (index >= 0) times[index] = ns;
  }
  print(JSON.stringify(percentiles(times)));
}

async function request(count: number): Promise<void> {
  using queue = create(64);
  const [part] = await startAll([start("respond", queue.name)]);
  const times = new Float64Array(count);
  const message = new Uint8Array(64);
  for (let index = -count; index < count; index++) {
    const startMs = performance.now();
    await queue.request(message, { timeoutMs: 1000 });
    if (index >= 0) times[index] = (performance.now() - startMs) * 1e6;
  }
  part.kill();
  print(JSON.stringify(percentiles(times)));
}

/** From the death of a consumer that has a message until another, which waits, has it. */
async function recover(count: number): Promise<void> {
  using queue = create(64);
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    await queue.send("x");
    const [part] = await startAll([start("hold", queue.name)]);
    await part.result();
    const waiting = queue.receive();
    const startMs = performance.now();
    part.kill();
    await waiting;
    times[index] = (performance.now() - startMs) * 1e6;
  }
  print(JSON.stringify(percentiles(times)));
}

async function idle(seconds: number, capacity: number, call: string): Promise<void> {
  using queue = create(64, capacity);
  const controller = new AbortController();
  const { signal } = controller;
  const nothing = (): void => {};
  const waits: Record<string, () => Promise<unknown>> = {
    receive: () => queue.receive({ signal }),
    receiveSync: () => Promise.resolve(),
    request: () => queue.request("x", { signal }),
    send: () => {
      while (queue.trySend("x"));
      return queue.send("x", { signal });
    },
    acquire: async () => {
      const mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
      await mailbox.acquire(1);
      await mailbox.acquire(1, { signal });
    },
  };
  const waiting = waits[call]().catch(nothing);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const startNs = cpuNs();
  if (call === "receiveSync") queue.receiveSync({ timeoutMs: seconds * 1000 });
  else await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const share = (cpuNs() - startNs) / (seconds * 1e9);
  controller.abort();
  await waiting;
  print(JSON.stringify({ share }));
}

function percentiles(times: Float64Array): Record<string, number> {
  times.sort();
  return { p50Ns: times[times.length >> 1], p99Ns: times[Math.floor(times.length * 0.99)] };
}

function create(messageBytesMax: number, capacity = CAPACITY): SharedQueue {
  const name = `bench-${Deno.pid}`;
  const queue = SharedQueue.create(name, { capacity, messageBytesMax });
  addEventListener("unload", () => SharedQueue.unlink(name));
  return queue;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function part([what, name, ...words]: string[]): Promise<void> {
  const queue = SharedQueue.connect(name);
  const [first, second, third] = words.map(Number);
  if (what === "produce") await produce(queue, first, second, third);
  else if (what === "consume") await consume(queue, first, second, third === 1);
  else if (what === "wake") await wakePart(queue, first, second === 1);
  else if (what === "respond") {
    await begin();
    await queue.respond(({ data }) => data);
  } else {
    await begin();
    await queue.reserve();
    print("{}");
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  }
}

const args = Deno.args.slice(TWIN.length);
if (TWIN.length > 0) FastPath.serves = () => false;
if (args[0] === "--part") await part(args.slice(1));
else {
  const [what, ...words] = args;
  const [first, second, third, fourth] = words.map(Number);
  if (what === "throughput") await throughput(first, second, third, fourth);
  else if (what === "wake") await wake(first, second, third);
  else if (what === "request") await request(first);
  else if (what === "recover") await recover(first);
  else await idle(first, second, words[2]);
}
Deno.exit(0);
