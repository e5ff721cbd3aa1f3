import type { Frame } from "./frames.ts";

/** Bytes of frames that wait for room at most, besides one of any length, and those that are owed. */
export const WAITING_BYTES_MAX: number = 64 * 2 ** 20;
/** Milliseconds for which a link that is closed waits for the other side to take what was sent. */
export const CLOSE_MS_MAX = 10_000;

/** Options of {@linkcode Link.send}. */
export interface LinkSendOptions {
  /**
   * Whether the other side waits for it: an answer, or what ends something. As many of them go out as there are calls, however much waits.
   *
   * @default {false}
   */
  readonly isOwed?: boolean;
}

/** Who takes what comes over a link. */
export interface LinkHandler {
  /** A frame of `byteLength` bytes at byte `at` of `view`, which is overwritten after this returns. Does not throw. */
  onFrame(view: DataView, at: number, byteLength: number): void;
  /** The other side is gone, or has closed the link. Called once, and not after `close()`. */
  onEnd(): void;
}

/** A way for frames between two processes, in their order. */
export interface Link {
  /** Lets frames come in. To be called once. */
  begin(handler: LinkHandler): void;
  /**
   * Sends a frame, now or when there is room. Nothing happens once the link has ended.
   *
   * @throws {Deno.errors.Busy} when {@linkcode WAITING_BYTES_MAX} wait already, and it is not owed
   */
  send(frame: Frame, options?: LinkSendOptions): void;
  /** Sends what is sent so far, as far as the other side takes it within {@linkcode CLOSE_MS_MAX}, and ends the link. */
  close(): Promise<void>;
  /** Ends the link at once. Nothing is told. */
  abort(): void;
}

/** Resolves with `sent`, or when {@linkcode CLOSE_MS_MAX} are over. */
export async function withinCloseTime(sent: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSE_MS_MAX);
  await Promise.race([sent, over]);
  clearTimeout(timer);
}

/** @throws {Deno.errors.Busy} when so many bytes wait that no more may */
export function throwIfTooMany(waitingBytes: number): void {
  if (waitingBytes <= WAITING_BYTES_MAX) return;
  throw new Deno.errors.Busy(`${waitingBytes} bytes wait for the other process already`);
}
