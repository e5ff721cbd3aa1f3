import { Socket } from "node:net";
import { closeOnExec, nativeStatus } from "../../../ffi/mod.ts";
import { encodeWorkerMessage, type WorkerMessage } from "./worker_message.ts";
import { CONTROL_VARIABLE } from "./worker_variables.ts";

/** A worker's way to its supervisor. */
export interface WorkerChannel {
  /** Sends a message; nothing happens when the supervisor is gone. */
  send(message: WorkerMessage): void;
}

/**
 * The way to the supervisor that has started this process; `undefined` when none has. `onGone` is called when it is gone. The
 * channel does not keep the process alive.
 *
 * @throws {Error} (as a rejection) when there is one that cannot be reached
 */
export async function openWorkerChannel(onGone: () => void): Promise<WorkerChannel | undefined> {
  const target = Deno.env.get(CONTROL_VARIABLE);
  if (target === undefined) return undefined;
  // What this process starts is no worker.
  Deno.env.delete(CONTROL_VARIABLE);
  return target.startsWith("fd:")
    ? inherited(Number(target.slice(3)), onGone)
    : await connected(target, onGone);
}

function inherited(fd: number, onGone: () => void): WorkerChannel {
  if (nativeStatus().available) closeOnExec(fd);
  const socket = new Socket({ fd, readable: true, writable: true });
  socket.on("data", () => {});
  socket.on("error", () => {});
  socket.on("close", onGone);
  socket.unref();
  const send = (message: WorkerMessage): void => void socket.write(encodeWorkerMessage(message));
  send({ type: "hello" });
  return { send };
}

async function connected(target: string, onGone: () => void): Promise<WorkerChannel> {
  const mark = target.lastIndexOf("#");
  const conn = await Deno.connect({ transport: "unix", path: target.slice("unix:".length, mark) });
  conn.unref();
  let sent: Promise<unknown> = Promise.resolve();
  const send = (message: WorkerMessage): void => {
    sent = sent.then(() => conn.write(encodeWorkerMessage(message))).catch(() => {});
  };
  send({ type: "hello", token: target.slice(mark + 1) });
  (async () => {
    const buffer = new Uint8Array(64);
    while (await conn.read(buffer).catch(() => null) !== null);
    onGone();
  })();
  return { send };
}
