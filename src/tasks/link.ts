import type { Frame } from "./frames.ts";

/** Bytes of frames that wait for room at most, besides one of any length. */
export const WAITING_BYTES_MAX: number = 64 * 2 ** 20;

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
   * @throws {Deno.errors.Busy} when {@linkcode WAITING_BYTES_MAX} wait already
   */
  send(frame: Frame): void;
  /** Sends what is sent so far, and ends the link. */
  close(): Promise<void>;
}

/** @throws {Deno.errors.Busy} when so many bytes wait that no more may */
export function throwIfTooMany(waitingBytes: number): void {
  if (waitingBytes <= WAITING_BYTES_MAX) return;
  throw new Deno.errors.Busy(`${waitingBytes} bytes wait for the other process already`);
}
