import { StaleBlockError } from "./errors.ts";
import { POOL_PHASE } from "./pool_layout.ts";
import type { PoolCore } from "./pool_core.ts";
import { referenceOf } from "./pool_word.ts";

/**
 * A block of a {@linkcode MemoryPool}, which its opener has until it is released, offered, or its process dies. Disposing of it releases it, unless
 * it is offered.
 */
export class PoolBlock implements Disposable {
  /** Its number in the pool, from 0. */
  readonly index: number;
  /** Bytes that it has. */
  readonly byteLength: number;
  readonly #core: PoolCore;
  #generation: number;
  readonly #start: number;

  /** For what `core` has in that generation. */
  constructor(core: PoolCore, index: number, generation: number, byteLength: number) {
    this.#core = core;
    this.index = index;
    this.byteLength = byteLength;
    this.#generation = generation;
    this.#start = core.geometry.blocksAt + index * core.geometry.strideBytes;
  }

  /** Whether it is still had, and not offered. */
  get held(): boolean {
    return !this.#core.closed && this.#core.has(this.index, this.#generation);
  }

  /**
   * Its bytes, in place: what earlier owners have left is in them. Not to be used once it is released or offered, which nobody can check; see
   * {@linkcode PoolBlock.writeAt} and {@linkcode PoolBlock.readAt} for what checks.
   *
   * @throws {StaleBlockError} when it is not had any more
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#requireHeld("look at");
    return this.#core.bytes.subarray(this.#start, this.#start + this.byteLength);
  }

  /**
   * Copies `bytes` to the byte `at` and those behind it.
   *
   * @throws {RangeError} when they do not lie within the block
   * @throws {StaleBlockError} when it is not had any more
   */
  writeAt(at: number, bytes: Uint8Array): void {
    this.#requireHeld("write to");
    this.#requireWithin("write to", at, bytes.length);
    this.#core.bytes.set(bytes, this.#start + at);
  }

  /**
   * A copy of `byteLength` bytes from `at` on.
   *
   * @throws {RangeError} when they do not lie within the block
   * @throws {StaleBlockError} when it is not had any more
   */
  readAt(at: number, byteLength: number): Uint8Array<ArrayBuffer> {
    this.#requireHeld("read from");
    this.#requireWithin("read from", at, byteLength);
    return this.#core.bytes.slice(this.#start + at, this.#start + at + byteLength);
  }

  /**
   * Offers it to any participant that knows its name, in this process or another: the result is that name. It is this opener's until it is taken,
   * and free when this opener closes the pool or dies before; it cannot be used here any more.
   *
   * @throws {StaleBlockError} when it is not had any more, or offered already
   */
  offer(): number {
    this.#requireHeld("offer");
    if (!this.#core.offer(this.index, this.#generation)) this.#stale("offer");
    return referenceOf(this.index, this.#generation);
  }

  /** Withdraws an offer, whose name is void then; false when another participant has taken the block, or it was not offered. */
  withdraw(): boolean {
    if (this.#core.closed) return false;
    const generation = this.#core.withdraw(this.index, this.#generation);
    if (generation === undefined) return false;
    this.#generation = generation;
    return true;
  }

  /**
   * Gives it back to the pool.
   *
   * @throws {StaleBlockError} when it is not had any more: released already, or offered
   */
  release(): void {
    if (this.#core.closed) return;
    if (!this.#core.release(this.index, this.#generation)) this.#stale("release");
  }

  /** Gives it back if it is had, and not offered. */
  [Symbol.dispose](): void {
    if (this.held) this.release();
  }

  #requireHeld(action: string): void {
    if (this.#core.closed) {
      throw new Deno.errors.BadResource(`${action} block ${this.index}: its pool is closed`);
    }
    if (!this.held) this.#stale(action);
  }

  #requireWithin(action: string, at: number, byteLength: number): void {
    const isWithin = Number.isInteger(at) && Number.isInteger(byteLength) && at >= 0 && byteLength >= 0 &&
      at + byteLength <= this.byteLength;
    if (isWithin) return;
    throw new RangeError(
      `${action} block ${this.index}: ${byteLength} bytes at ${at}, expected to end at ${this.byteLength} at most`,
    );
  }

  #stale(action: string): never {
    const isOffered = this.#core.has(this.index, this.#generation, POOL_PHASE.offered);
    const found = isOffered
      ? "it is offered"
      : `it was released or taken, and ${this.#core.describe(this.index)}`;
    throw new StaleBlockError(`${action} block ${this.index}`, found);
  }
}
