import { assert } from "../../base/mod.ts";
import { geometryOf, type QueueConstants, type QueueGeometry, RECORD_HEADER_BYTES } from "./layout.ts";
import { floatsOf, type SharedRegion, wordsOf } from "../sharing/mod.ts";

/** The memory of one queue, as words and bytes, and where in it slots and records are. */
export class QueueMemory {
  readonly region: SharedRegion;
  /** What errors call the queue. */
  readonly label: string;
  readonly constants: QueueConstants;
  readonly geometry: QueueGeometry;
  readonly capacity: number;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Index of the word of slot 0. */
  readonly slots: number;
  readonly #records: number;
  readonly #recordWords: number;

  constructor(region: SharedRegion, constants: QueueConstants, label = "the queue") {
    this.label = label;
    this.region = region;
    this.constants = constants;
    this.geometry = geometryOf(constants);
    const { byteLength } = region.bytes;
    assert(
      byteLength === this.geometry.byteLength,
      `QueueMemory: ${byteLength} bytes are not those of its constants`,
    );
    this.capacity = constants.capacity;
    this.words = wordsOf(region.bytes);
    this.floats = floatsOf(region.bytes);
    this.bytes = region.bytes;
    this.slots = this.geometry.slotsAt >> 2;
    this.#records = this.geometry.recordsAt / 4;
    this.#recordWords = this.geometry.recordBytes >> 2;
  }

  /** Index of the first word of a slot's record. */
  recordOf(slot: number): number {
    return this.#records + slot * this.#recordWords;
  }

  /** Index of the first byte of a slot's message. */
  messageOf(slot: number): number {
    return this.recordOf(slot) * 4 + RECORD_HEADER_BYTES;
  }

  /** The word of a slot. SYNC slot: what the last owner has written to the record is visible. */
  load(slot: number): number {
    return Atomics.load(this.words, this.slots + slot);
  }

  /**
   * The same at a tenth of the cost, for who looks at all slots, most of which are of no interest: it may be a little out of date, so load the
   * word of one that is.
   */
  peek(slot: number): number {
    return this.words[this.slots + slot];
  }

  /** Changes the word of a slot; false when it was not `from`. SYNC slot: what was written to the record goes with it. */
  move(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, this.slots + slot, from, to) === from;
  }
}
