/** Memory that the kernel may use: its address does not change, and it lives until closed. */
import { Mapping } from "./memory.ts";

/** Page-aligned, zeroed memory of this process. Other code refers to places in it by offset; its address stays in `ffi/`. */
export class PinnedMemory implements Disposable {
  /** Reserves `byteLength` bytes; pages are taken from the system when first touched. */
  static allocate(byteLength: number): PinnedMemory {
    return new PinnedMemory(Mapping.create(byteLength));
  }

  /** The memory; of length 0 once closed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #mapping: Mapping;
  /** Below 2^48, so a number holds it exactly. */
  readonly #address: number;

  private constructor(mapping: Mapping) {
    this.#mapping = mapping;
    this.#address = Number(Mapping.addressOf(mapping));
    this.bytes = new Uint8Array(mapping.buffer);
  }

  /** The address of byte `offset`. Stays inside `ffi/`. @internal */
  static addressOf(memory: PinnedMemory, offset: number): number {
    return memory.#address + offset;
  }

  /** Frees the memory. The kernel must not be using it any more. */
  close(): void {
    this.#mapping.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
