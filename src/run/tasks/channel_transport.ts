import type { Transport } from "../../base/calls/mod.ts";

/** Who takes what comes over a transport. None of its functions throws. */
export interface TransportHandler {
  /** A message of `byteLength` bytes at byte `at` of `view`, which is overwritten after this returns. */
  onMessage(view: DataView, at: number, byteLength: number): void;
  /** There may be room again for a message that found none. */
  onRoom(): void;
  /** The other side is gone, or has closed the transport. Called once, and not after `close()`. */
  onEnd(): void;
}

/** A way for messages between two processes, in their order, both ways. */
export interface ChannelTransport extends Transport {
  /** Lets messages come in. To be called once. */
  begin(handler: TransportHandler): void;
  /** Resolves when what was committed is on its way to the other side, whether that takes it or not. */
  flushed(): Promise<void>;
  /** Ends it at once. */
  close(): void;
}
