import type { Boxes, HandOver } from "./boxes.ts";
import type { Delivery } from "./delivery.ts";

/** Who can tell whether a mailbox is open. */
export interface MailboxOwner {
  isOpen(): boolean;
}

/** What is to happen when the message of a box of `boxes` is sent; for this folder. */
export let handOver: (box: MailboxBox, boxes: Boxes) => HandOver;

/** A box of a {@linkcode SharedMailbox}: to be written before it is sent, or to be read where it was received. */
export class MailboxBox implements Disposable {
  /** Bytes that it was acquired for. */
  readonly byteLength: number;
  readonly #boxes: Boxes;
  readonly #index: number;
  readonly #generation: number;
  readonly #owner: MailboxOwner;
  /** With which it came; without one, it was acquired here. */
  readonly #delivery: Delivery | undefined;
  #gone = false;

  static {
    handOver = (box, boxes) => box.#handOver(boxes);
  }

  /** Box `index` of `boxes`; see {@linkcode SharedMailbox.acquire} and {@linkcode SharedMailbox.open}. */
  constructor(boxes: Boxes, index: number, byteLength: number, owner: MailboxOwner, delivery?: Delivery) {
    this.#boxes = boxes;
    this.#index = index;
    this.#generation = boxes.generationOf(index);
    this.byteLength = byteLength;
    this.#owner = owner;
    this.#delivery = delivery;
  }

  /**
   * Its contents, in shared memory. Not to be kept beyond its life: the memory is another's then.
   *
   * @throws {Deno.errors.BadResource} when it was sent or released, or its delivery is settled
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#throwIfGone("look into a box");
    return this.#boxes.bytesOf(this.#index, this.byteLength);
  }

  #handOver(boxes: Boxes): HandOver {
    if (boxes !== this.#boxes) throw new TypeError("send a box: it is another mailbox's");
    this.#throwIfGone("send a box");
    if (this.#delivery !== undefined) {
      throw new Deno.errors.BadResource("send a box: it came with a message, and goes with that");
    }
    return {
      box: this.#index,
      generation: this.#generation,
      check: () => this.#throwIfGone("send a box"),
      go: () => {
        this.#boxes.send(this.#index, this.byteLength);
        this.#gone = true;
      },
    };
  }

  /** Gives it back unsent; does nothing to one that came with a message, or that is gone. */
  release(): void {
    if (this.#gone || this.#delivery !== undefined || !this.#owner.isOpen()) return;
    this.#gone = true;
    this.#boxes.release(this.#index);
  }

  /** The same as {@linkcode MailboxBox.release}. */
  [Symbol.dispose](): void {
    this.release();
  }

  #throwIfGone(action: string): void {
    if (!this.#gone && this.#owner.isOpen() && this.#delivery?.settled !== true) return;
    throw new Deno.errors.BadResource(`${action}: it was sent or released, or its message is settled`);
  }
}
