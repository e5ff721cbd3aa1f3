import type { ChunkedDecoder } from "./chunked_decoder.ts";
import type { CountedDecoder } from "./counted_decoder.ts";
import type { HttpLimits } from "./limits.ts";
import { type BodyUpstream, RequestBody } from "./request_body.ts";

/** Finds the data and the end of one body in what is received. */
export type BodyDecoder = ChunkedDecoder | CountedDecoder;

/** What a body asks of the connection that it comes in on. */
export interface IncomingBodyOwner {
  /** Somebody waits for more of the body. */
  onBodyWanted(): void;
  /** Enough waits to be read: nothing more should be received until somebody does. */
  onBodyFull(): void;
  /** Somebody who had begun to read has given up: what comes is dropped. */
  onBodyDropped(): void;
}

/**
 * How a body stands.
 *
 * - `open`: there is more to come. - `ended`: all of it is in. - `unwanted`: nobody reads it, and there is too much of it to
 *   throw away. - `too-long`: over `bodyBytesMax`. - `malformed`: the end of it cannot be found.
 */
export type IncomingBodyState = "open" | "ended" | "unwanted" | "too-long" | "malformed";

/** The body of one request while it comes in: between what is received and the {@linkcode RequestBody} that is read. */
export class IncomingBody implements BodyUpstream {
  /** What the handler reads. */
  readonly body: RequestBody;
  /** Whether the client waits to be asked for it (`Expect: 100-continue`). */
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

  /** How it stands since the last `take()`. */
  get state(): IncomingBodyState {
    return this.#state;
  }

  /** Takes what is the body's of `bytes` from `from` up to `end`; returns the index it came to. */
  take(bytes: Uint8Array, from: number, end: number, answered: boolean): number {
    // A client that sends without waiting needs no invitation any more.
    this.expectsContinue = false;
    const decoder = this.#decoder;
    let at = from;
    while (at < end && this.#state === "open") {
      at = decoder.next(bytes, at, end);
      if (decoder.dataLength > 0) this.#push(bytes, decoder.dataStart, decoder.dataLength, answered);
      if (this.#state !== "open") break;
      if (decoder.state === "done") {
        this.#state = "ended";
        this.body.end();
      } else if (decoder.state === "failed") this.#state = "malformed";
    }
    // Asked only here: nothing has to be held up for a body of which everything is in.
    if (this.#state === "open" && this.body.full) this.#owner.onBodyFull();
    return at;
  }

  #push(bytes: Uint8Array, start: number, length: number, answered: boolean): void {
    const { body } = this;
    const { bodyBytesMax, discardBytesMax } = this.#limits;
    this.#receivedBytes += length;
    if (this.#receivedBytes > bodyBytesMax) this.#state = "too-long";
    else if (answered && this.#receivedBytes > discardBytesMax && !this.#isRead) this.#state = "unwanted";
    else body.push(bytes, start, length);
  }

  /** Whether somebody has begun to read and not given up. */
  get #isRead(): boolean {
    return this.body.used && !this.body.discarded;
  }

  /**
   * The request has been answered: what nobody has begun to read is dropped, and true returned; a handler may read on behind
   * its answer.
   */
  discardUnread(): boolean {
    if (this.#isRead) return false;
    this.body.discard();
    return true;
  }

  /** Whether more is announced than is worth receiving for nothing. */
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
