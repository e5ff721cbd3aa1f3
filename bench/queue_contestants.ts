import { type Availability, builtFromC, builtFromCpp } from "./peers.ts";
import { onDeno, onNode, whereThere, withWords } from "./programs.ts";
import type { Contestant } from "./rounds.ts";

/** Messages of so many bytes through one queue, from so many processes to as many others. */
export function queueThroughputContestants(byteLength: number, pairs: number): readonly Contestant[] {
  const words = ["throughput", String(byteLength), String(pairs)];
  return [
    millrace("millrace-queue", "Millrace queue, one at a time", ...words, "1", "0"),
    millrace("millrace-queue-64", "Millrace queue, 64 at a time", ...words, "64", "0"),
    millrace("millrace-queue-64-in-place", "Millrace queue, 64 at a time, in place", ...words, "64", "1"),
    {
      ...millrace(
        "millrace-queue-twin",
        "Millrace queue in TypeScript, one at a time",
        "twin",
        ...words,
        "1",
      ),
      note: "its steps in TypeScript in place of native code",
    },
    {
      id: "boost",
      label: "Boost.Interprocess",
      note: "its lock does not survive its owner",
      find: boost(words),
    },
    { id: "posix", label: "POSIX message queue", find: posix(words) },
    {
      id: "redis",
      label: "Redis list, pipelined",
      note: "64 commands in one write; what a consumer had popped is gone with it",
      find: () => redis(words),
    },
    ...(pairs > 1 ? [] : [{
      id: "node-ipc",
      label: "Node fork",
      find: () => onNode("bench/peers/node_ipc.mjs", words),
    }, {
      id: "deno-worker",
      label: "Deno worker postMessage",
      note: "between threads",
      find: () => onDeno("bench/peers/messages.mjs", ["worker", "throughput", String(byteLength)]),
    }]),
  ];
}

/** From sending a message until a process that slept has it. */
export function queueWakeContestants(byteLength: number, count: number): readonly Contestant[] {
  const words = ["wake", String(byteLength), String(count)];
  return [
    millrace("millrace-queue", "Millrace queue, receive()", ...words, "0"),
    millrace("millrace-queue-sync", "Millrace queue, receiveSync()", ...words, "1"),
    { id: "boost", label: "Boost.Interprocess", find: boost(words) },
    { id: "posix", label: "POSIX message queue", find: posix(words) },
    { id: "redis", label: "Redis list", find: () => redis(words) },
    { id: "node-ipc", label: "Node fork", find: () => onNode("bench/peers/node_ipc.mjs", words) },
    {
      id: "deno-worker",
      label: "Deno worker postMessage",
      note: "between threads",
      find: () => onDeno("bench/peers/messages.mjs", ["worker", "oneway"]),
    },
  ];
}

/** A message of so many bytes to another process and an answer as long, one at a time. */
export function queueRequestContestants(byteLength: number, count: number): readonly Contestant[] {
  const words = ["request", String(byteLength), String(count)];
  return [
    millrace("millrace-queue", "Millrace queue, request()", "request", String(count)),
    { id: "posix", label: "two POSIX message queues", find: posix(words) },
    { id: "node-ipc", label: "Node fork", find: () => onNode("bench/peers/node_ipc.mjs", words) },
    {
      id: "deno-worker",
      label: "Deno worker postMessage",
      note: "between threads",
      find: () => onDeno("bench/peers/messages.mjs", ["worker", "roundtrip"]),
    },
  ];
}

/** What only Millrace's queue does: what a dead consumer had is another's. */
export function queueRecoverContestants(count: number): readonly Contestant[] {
  return [millrace("millrace-queue", "Millrace queue", "recover", String(count))];
}

/** A consumer that waits, with nothing to do. */
export function queueIdleContestants(seconds: number): readonly Contestant[] {
  const call = (name: string, capacity = 1024) => {
    const id = capacity === 1024 ? name : `${name}-${capacity}`;
    const label = `${name}(), a queue of ${capacity}`;
    return millrace(`millrace-queue-${id.toLowerCase()}`, label, "idle", `${seconds}`, `${capacity}`, name);
  };
  return [
    ...["receive", "receiveSync", "request", "send", "acquire"].map((name) => call(name)),
    call("receive", 65_536),
  ];
}

function millrace(id: string, label: string, ...words: string[]): Contestant {
  return { id, label, find: () => onDeno("bench/peers/millrace_queue.ts", words) };
}

function boost(words: readonly string[]): () => Promise<Availability> {
  return async () =>
    withWords(await builtFromCpp("boost_queue", "boost/interprocess/ipc/message_queue.hpp"), words);
}

function posix(words: readonly string[]): () => Promise<Availability> {
  return async () => withWords(await builtFromC("posix_queue"), words);
}

function redis(words: readonly string[]): Promise<Availability> {
  return whereThere("redis-server", () => onDeno("bench/peers/redis_queue.ts", words));
}
