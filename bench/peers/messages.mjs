// deno-lint-ignore-file no-console -- what it prints is what is measured
/**
 * What a program does without rings: `worker|channel throughput BYTES BATCH`, `worker|channel roundtrip`, `worker|channel wake`, `worker
 * oneway`, `worker calls OUTSTANDING`, over
 * `postMessage()` of a worker or of a `MessageChannel`. On Deno with its own `Worker`, on Node with `worker_threads`.
 */
import process from "node:process";

const MESSAGE_COUNT = 100_000;
const ROUND_TRIPS = 5000;
const CALLS = 100_000;
const WAKES = 500;
const WAKE_PAUSE_MS = 3;
const WARM_UP = 2000;
const onDeno = "Deno" in globalThis;
const threads = onDeno ? undefined : await import("node:worker_threads");
const inWorker = onDeno
  ? typeof document === "undefined" && "DedicatedWorkerGlobalScope" in globalThis
  : !threads.isMainThread;

/** A port with one shape on both. */
function wrap(port) {
  return {
    post: (message, transfer) => port.postMessage(message, transfer),
    listen(onMessage) {
      if ("onmessage" in port) port.onmessage = ({ data }) => onMessage(data);
      else port.removeAllListeners("message").on("message", onMessage);
    },
  };
}

if (inWorker) serve(wrap(onDeno ? self : threads.parentPort));
else await main(...(onDeno ? Deno.args : process.argv.slice(2)));

/** Milliseconds, on a clock that all threads share. */
function sharedMs() {
  return performance.timeOrigin + performance.now();
}

/** Answers a message with itself, sends as many as asked for, answers a call, or notes how long it was on its way. */
function serve(port) {
  const waits = [];
  port.listen((message) => {
    if (typeof message === "number") return waits.push(sharedMs() - message);
    if (message === "waits") return port.post(waits.splice(0));
    if (message instanceof Uint8Array) port.post(message);
    else if (message.port !== undefined) serve(wrap(message.port));
    else if (message.count !== undefined) {
      // Arrays of their own: what is posted twice in one message is cloned once.
      const batch = Array.from({ length: message.batch }, () => new Uint8Array(message.bytes).fill(1));
      const posted = message.batch === 1 ? batch[0] : batch;
      for (let index = 0; index < message.count; index += message.batch) port.post(posted);
    } else port.post({ id: message.id, result: message.value * message.value });
  });
}

async function main(transport, what, size, batch = 1) {
  const url = new URL(import.meta.url);
  const worker = onDeno ? new Worker(url, { type: "module" }) : new threads.Worker(url);
  let port = wrap(worker);
  if (transport === "channel") {
    const { port1, port2 } = new MessageChannel();
    port.post({ port: port2 }, [port2]);
    port = wrap(port1);
  }
  const measure = { throughput, roundtrip, wake, oneway, calls }[what];
  console.log(JSON.stringify(await measure(port, Number(size), Number(batch))));
  (onDeno ? Deno.exit : process.exit)(0);
}

/** Resolves to the seconds from the first message to the last. */
function received(port, count, bytes, batch) {
  return new Promise((resolve) => {
    let seen = 0;
    let startMs = 0;
    port.listen((message) => {
      if (seen === 0) startMs = performance.now();
      seen += Array.isArray(message) ? message.length : 1;
      if (seen === count) resolve((performance.now() - startMs) / 1000);
    });
    port.post({ count, bytes, batch });
  });
}

async function throughput(port, bytes, batch) {
  const whole = (count) => Math.ceil(count / batch) * batch;
  await received(port, whole(WARM_UP), bytes, batch);
  const count = whole(MESSAGE_COUNT);
  const before = process.cpuUsage();
  const seconds = await received(port, count, bytes, batch);
  const { user, system } = process.cpuUsage(before);
  return { messagesPerSecond: count / seconds, cpuNsPerMessage: (user + system) * 1000 / count };
}

async function roundtrip(port) {
  return await roundtrips(port, ROUND_TRIPS, 0);
}

/** There and back, both sides having slept. */
async function wake(port) {
  return await roundtrips(port, WAKES, WAKE_PAUSE_MS);
}

/** To a worker that has slept. */
async function oneway(port) {
  const waits = () =>
    new Promise((resolve) => {
      port.listen(resolve);
      port.post("waits");
    });
  for (let index = 0; index < WARM_UP; index++) port.post(sharedMs());
  await waits();
  for (let index = 0; index < WAKES; index++) {
    await new Promise((resolve) => setTimeout(resolve, WAKE_PAUSE_MS));
    port.post(sharedMs());
  }
  const times = Float64Array.from(await waits()).sort();
  return { p50Ns: times[WAKES >> 1] * 1e6, p99Ns: times[Math.floor(WAKES * 0.99)] * 1e6 };
}

async function roundtrips(port, count, pauseMs) {
  const times = new Float64Array(count);
  const message = new Uint8Array(64);
  for (let index = -WARM_UP; index < count; index++) {
    if (index >= 0 && pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const startMs = performance.now();
    await new Promise((resolve) => {
      port.listen(resolve);
      port.post(message);
    });
    if (index >= 0) times[index] = performance.now() - startMs;
  }
  times.sort();
  return { p50Ns: times[count >> 1] * 1e6, p99Ns: times[Math.floor(count * 0.99)] * 1e6 };
}

async function calls(port, outstanding) {
  const waiting = new Map();
  let id = 0;
  port.listen(({ id, result }) => {
    waiting.get(id)(result);
    waiting.delete(id);
  });
  const call = (value) =>
    new Promise((resolve) => {
      waiting.set(++id, resolve);
      port.post({ id, value });
    });
  const run = async (count) => {
    let left = count;
    const one = async () => {
      while (left-- > 0) await call(left);
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: outstanding }, one));
    return (performance.now() - startMs) / 1000;
  };
  const count = outstanding === 1 ? ROUND_TRIPS : CALLS;
  await run(WARM_UP);
  const seconds = await run(count);
  return { callsPerSecond: count / seconds, microsecondsPerCall: seconds / count * 1e6 };
}
