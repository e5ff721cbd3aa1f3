import { OutputLines } from "./output_lines.ts";

/**
 * What a worker tells its supervisor, a line of JSON each, on a socket that it was started with or that a path leads to.
 *
 * - `hello`: it uses `workerMain()`; `token` says which instance it is, where the socket does not. - `ready`: it works. -
 *   `heartbeat`: its event loop turns. - `stopping`: it finishes.
 */
export type WorkerMessage =
  | { readonly type: "hello"; readonly token?: string }
  | { readonly type: "ready" }
  | { readonly type: "heartbeat" }
  | { readonly type: "stopping" };

/** Bytes of one message at most. */
const MESSAGE_BYTES_MAX = 4096;
const TYPES: readonly string[] = ["hello", "ready", "heartbeat", "stopping"];

/** A message in bytes. */
export function encodeWorkerMessage(message: WorkerMessage): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(message)}\n`);
}

/** Calls `onMessage` with each message of a stream of bytes; anything else is skipped. */
export class WorkerMessages {
  readonly #lines: OutputLines;

  /** A stream that begins now. */
  constructor(onMessage: (message: WorkerMessage) => void) {
    this.#lines = new OutputLines((line) => {
      const message = parse(line);
      if (message !== undefined) onMessage(message);
    }, MESSAGE_BYTES_MAX);
  }

  /** The next bytes of the stream. */
  add(bytes: Uint8Array): void {
    this.#lines.add(bytes);
  }
}

function parse(line: Uint8Array): WorkerMessage | undefined {
  try {
    const message = JSON.parse(new TextDecoder().decode(line));
    return TYPES.includes(message?.type) ? message : undefined;
  } catch {
    return undefined;
  }
}
