// deno-lint-ignore-file no-console -- what it prints is what is measured
// What Node has between processes: `throughput BYTES PAIRS`, `wake BYTES COUNT` or `request BYTES COUNT` over the channel of child_process.fork(). Prints one JSON object.
import { fork } from "node:child_process";
import process from "node:process";

const TOTAL = 200_000;
const WARM_UP = 5000;
const PAUSE_MS = 3;
/** Messages that a sender has under way: the channel itself has no limit. */
const WINDOW = 256;

const now = () => Number(process.hrtime.bigint());
const cpuNs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

if (process.send !== undefined) child();
else await main(...process.argv.slice(2));

/** Counts what comes, and says so now and then; a number is the time at which it was sent. */
function child() {
  let [received, firstNs] = [0, 0];
  const times = [];
  process.on("message", (message) => {
    if (message === "end") {
      process.send({ firstNs, lastNs: now(), cpuNs: cpuNs(), times });
      return;
    }
    if (message.request !== undefined) process.send(message);
    else if (typeof message === "number") times.push(now() - message);
    else if (++received === WARM_UP) firstNs = now();
    if (received % (WINDOW / 2) === 0) process.send("more");
  });
}

function start() {
  return fork(new URL(import.meta.url), { serialization: "advanced" });
}

function answer(child) {
  return new Promise((resolve) =>
    child.on("message", (message) => message.lastNs !== undefined && resolve(message))
  );
}

async function sendAll(child, bytes, count) {
  const message = new Uint8Array(bytes).fill(1);
  let [sent, allowed] = [0, WINDOW];
  let wake = () => {};
  child.on("message", (text) => {
    if (text !== "more") return;
    allowed += WINDOW / 2;
    wake();
  });
  const result = answer(child);
  while (sent < count) {
    if (sent < allowed) {
      child.send(message);
      sent++;
    } else await new Promise((resolve) => wake = resolve);
  }
  child.send("end");
  return await result;
}

async function roundTrips(child, bytes, count) {
  const times = new Float64Array(count);
  const message = { request: new Uint8Array(bytes) };
  let answered = () => {};
  child.on("message", () => answered());
  for (let index = -count; index < count; index++) {
    const startNs = now();
    const reply = new Promise((resolve) => answered = resolve);
    child.send(message);
    await reply;
    if (index >= 0) times[index] = now() - startNs;
  }
  times.sort();
  console.log(
    JSON.stringify({ p50Ns: times[times.length >> 1], p99Ns: times[Math.floor(times.length * 0.99)] }),
  );
  child.kill();
}

async function main(what, bytes, number) {
  const startNs = cpuNs();
  if (what === "throughput") {
    const children = Array.from({ length: Number(number) }, start);
    const share = TOTAL / children.length;
    const results = await Promise.all(
      children.map((child) => sendAll(child, Number(bytes), share + WARM_UP)),
    );
    const seconds = (Math.max(...results.map(({ lastNs }) =>
      lastNs
    )) - Math.min(...results.map(({ firstNs }) => firstNs))) / 1e9;
    const cpu = results.reduce((sum, { cpuNs }) => sum + cpuNs, cpuNs() - startNs);
    console.log(
      JSON.stringify({
        messagesPerSecond: TOTAL / seconds,
        cpuNsPerMessage: cpu / (TOTAL + children.length * WARM_UP),
      }),
    );
    for (const child of children) child.kill();
  } else if (what === "request") {
    await roundTrips(start(), Number(bytes), Number(number));
  } else {
    const child = start();
    for (let index = 0; index < Number(number); index++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      child.send(now());
    }
    const result = answer(child);
    child.send("end");
    const times = Float64Array.from((await result).times).sort();
    console.log(
      JSON.stringify({ p50Ns: times[times.length >> 1], p99Ns: times[Math.floor(times.length * 0.99)] }),
    );
    child.kill();
  }
}
