/**
 * A lock that two processes hand to each other: `COUNT sync|async`. Each has it for a moment in which the other falls asleep; from before it is
 * given back until the other has it. Prints one JSON object. The other process is this program, too, with `--part` before.
 */
import { monotonicNs } from "../../ffi/mod.ts";
import { SharedMemory } from "../../src/ipc/memory/mod.ts";
import { SharedLock } from "../../src/ipc/state/mod.ts";

const HELD_MS = 3;
const WARM_UP = 20;
const encoder = new TextEncoder();

async function exchange(name: string, count: number, holdsUp: boolean): Promise<number[]> {
  using lock = SharedLock.connect(name);
  using memory = SharedMemory.connect(name);
  const { bytes } = memory;
  const releasedNs = new Float64Array(bytes.buffer, bytes.byteOffset, 1);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const times: number[] = [];
  for (let index = -WARM_UP; index < count; index++) {
    const guard = holdsUp ? lock.acquireSync() : await lock.acquire();
    const ns = monotonicNs() - releasedNs[0];
    if (guard === undefined) throw new Error("the lock did not come");
    // The first has it from nobody.
    if (index >= 0) times.push(ns);
    if (holdsUp) Atomics.wait(nothing, 0, 0, HELD_MS);
    else await new Promise((resolve) => setTimeout(resolve, HELD_MS));
    releasedNs[0] = monotonicNs();
    guard.release();
  }
  return times;
}

async function main(count: number, how: string): Promise<void> {
  const name = `bench-${Deno.pid}`;
  using _lock = SharedLock.create(name);
  using _memory = SharedMemory.create(name, { byteLength: 64 });
  try {
    const part = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL(import.meta.url).pathname, "--part", name, String(count), how],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = part.stdout.pipeThrough(new TextDecoderStream()).getReader();
    await output.read();
    const input = part.stdin.getWriter();
    await input.write(encoder.encode("\n"));
    const own = await exchange(name, count, how === "sync");
    let text = "";
    for (let read = await output.read(); !read.done; read = await output.read()) text += read.value;
    await input.close();
    const times = Float64Array.from([...own, ...JSON.parse(text)]).sort();
    const [p50Ns, p99Ns] = [times[times.length >> 1], times[Math.floor(times.length * 0.99)]];
    print(JSON.stringify({ p50Ns, p99Ns }));
  } finally {
    SharedLock.unlink(name);
    SharedMemory.unlink(name);
  }
}

async function part(name: string, count: number, how: string): Promise<void> {
  print("ready");
  await Deno.stdin.read(new Uint8Array(10));
  print(JSON.stringify(await exchange(name, count, how === "sync")));
}

function print(line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

if (Deno.args[0] === "--part") await part(Deno.args[1], Number(Deno.args[2]), Deno.args[3]);
else await main(Number(Deno.args[0]), Deno.args[1]);
Deno.exit(0);
