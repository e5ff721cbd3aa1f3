import { letters } from "./http_bytes.ts";

/** A response body that counts: what was asked of it, and how it ended. */
export class CountedBody {
  /** Bytes that were pulled. */
  pulledBytes = 0;
  /** Whether its end was reached. */
  ended = false;
  /** What it was cancelled with, once it was. */
  cancelled: { readonly reason: unknown } | undefined;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;

  /** A body of `pieceCount` pieces of `pieceBytes` bytes; `onPull` may make it wait. */
  constructor(pieceCount: number, pieceBytes: number, onPull?: (index: number) => Promise<void>) {
    const piece = new TextEncoder().encode(letters(pieceBytes));
    let index = 0;
    this.stream = new ReadableStream({
      pull: async (controller) => {
        await onPull?.(index);
        if (index++ < pieceCount) {
          this.pulledBytes += pieceBytes;
          controller.enqueue(piece.slice());
        } else {
          this.ended = true;
          controller.close();
        }
      },
      cancel: (reason) => {
        this.cancelled = { reason };
      },
    }, { highWaterMark: 0 });
  }
}

/** A stream of these values, whatever they are, then its end or an error. */
export function streamOf(values: readonly unknown[], error?: Error): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waiting = [...values];
  return new ReadableStream({
    async pull(controller) {
      // Not at once, so that nobody takes it for a body that is all there.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const value = waiting.shift();
      if (value !== undefined) {
        controller.enqueue(
          (typeof value === "string" ? new TextEncoder().encode(value) : value) as Uint8Array<ArrayBuffer>,
        );
      } else if (error !== undefined) controller.error(error);
      else controller.close();
    },
  });
}
