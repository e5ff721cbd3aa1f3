import { assert } from "../../base/mod.ts";
import type { ChunkedDecoder } from "./chunked_decoder.ts";
import type { CountedDecoder } from "./counted_decoder.ts";
import type { HttpLimits } from "./limits.ts";
import { type BodyUpstream, RequestBody } from "./request_body.ts";

/** Finds the data and the end of one body in the input. */
export type BodyDecoder = ChunkedDecoder | CountedDecoder;

/** What a body needs of the connection that it comes in on. */
export interface IncomingBodyOwner {
  /** A reader waits for more of the body. */
  onBodyWanted(): void;
  /** Enough data is queued: the connection should receive no more until it is read. */
  onBodyFull(): void;
  /** A reader has given up: what still comes is dropped. */
  onBodyDropped(): void;
}

/**
 * The state of a body.
 *
 * - `open`: more is to come
 * - `ended`: all of it has come
 * - `unwanted`: it has no reader, and too much of it is left to discard
 * - `too-long`: over `bodyBytesMax`
 * - `malformed`: its end cannot be found
 */
export type IncomingBodyState = "open" | "ended" | "unwanted" | "too-long" | "malformed";

/** The body of one request while it comes in: between the input and the {@linkcode RequestBody} that the handler reads. */
export class IncomingBody implements BodyUpstream {
  /** What the handler reads. */
  readonly body: RequestBody;
  /** Whether the client waits for `100 Continue` (`Expect: 100-continue`). */
  expectsContinue: boolean;
  #state: IncomingBodyState = "open";
  readonly #decoder: BodyDecoder;
  readonly #limits: Required<HttpLimits>;
  readonly #owner: IncomingBodyOwner;
  #receivedBytes = 0;

  constructor(
    decoder: BodyDecoder,
    expectsContinue: boolean,
    limits: Required<HttpLimits>,
    owner: IncomingBodyOwner,
  ) {
    this.#decoder = decoder;
    this.expectsContinue = expectsContinue;
    this.#limits = limits;
    this.#owner = owner;
    this.body = new RequestBody(this);
  }

  /** Its state since the last `take()`. */
  get state(): IncomingBodyState {
    return this.#state;
  }

  /** Takes the part of `bytes` from `from` up to `end` that belongs to the body; returns the index that it reached. */
  take(bytes: Uint8Array, from: number, end: number, responded: boolean): number {
    assert(this.#state === "open", "IncomingBody.take: the body is not open");
    // A client that sends without waiting needs no `100 Continue` any more.
    this.expectsContinue = false;
    const decoder = this.#decoder;
    let at = from;
    while (at < end && this.#state === "open") {
      at = decoder.next(bytes, at, end);
      if (decoder.dataLength > 0) this.#push(bytes, decoder.dataStart, decoder.dataLength, responded);
      if (this.#state !== "open") break;
      if (decoder.state === "done") {
        this.#state = "ended";
        this.body.end();
      } else if (decoder.state === "failed") this.#state = "malformed";
    }
    // Checked only here: a body that has come completely needs no back-pressure.
    if (this.#state === "open" && this.body.full) this.#owner.onBodyFull();
    return at;
  }

  #push(bytes: Uint8Array, start: number, length: number, responded: boolean): void {
    const { body } = this;
    const { bodyBytesMax, discardBytesMax } = this.#limits;
    this.#receivedBytes += length;
    if (this.#receivedBytes > bodyBytesMax) this.#state = "too-long";
    else if (responded && this.#receivedBytes > discardBytesMax && !this.#isRead) this.#state = "unwanted";
    else body.push(bytes, start, length);
  }

  /** Whether a reader has begun and not given up. */
  get #isRead(): boolean {
    return this.body.used && !this.body.discarded;
  }

  /**
   * The response is written. Drops a body that has no reader, and returns true then; a handler that has begun to read may read on
   * after its response.
   */
  discardUnread(): boolean {
    if (this.#isRead) return false;
    this.body.discard();
    return true;
  }

  /** Whether the announced rest is too long to receive and discard. */
  get tooLongToDiscard(): boolean {
    return this.#decoder.announcedBytes > this.#limits.discardBytesMax;
  }

  /** @internal */
  resume(): void {
    this.#owner.onBodyWanted();
  }

  /** @internal */
  dropped(): void {
    this.#owner.onBodyDropped();
  }
}
