/** Descriptors, their sizes, and mappings whose address the kernel may get. */
import { check } from "./errno.ts";
import { native } from "./library.ts";

/** Sets the size of an object in bytes. Never shrink one that is mapped: touching the lost pages kills the process. */
export function resize(fd: number, byteLength: number): void {
  check(native().millrace_truncate(fd, BigInt(byteLength)), "ftruncate");
}

/** The size of an object in bytes. */
export function sizeOf(fd: number): number {
  const out = new BigUint64Array(1);
  check(native().millrace_size(fd, out), "fstat");
  return Number(out[0]);
}

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  check(native().millrace_close(fd), "close");
}

/**
 * A mapping of a descriptor, or of fresh memory, page-aligned, at an address that stays.
 *
 * One hidden `ArrayBuffer` covers it; `close()` empties that buffer (every view then has length 0) before it unmaps.
 */
export class Mapping implements Disposable {
  /** Maps `byteLength` bytes of `fd` from `offset` (shared), or fresh zeroed memory without `fd` (private). */
  static create(byteLength: number, fd = -1, offset = 0): Mapping {
    const out = new BigUint64Array(1);
    check(native().millrace_map(fd, BigInt(byteLength), BigInt(offset), out), "mmap");
    return new Mapping(out[0], byteLength);
  }

  readonly byteLength: number;
  readonly #address: bigint;
  #buffer: ArrayBuffer;

  private constructor(address: bigint, byteLength: number) {
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new Error("mmap: returned address 0");
    this.#address = address;
    this.byteLength = byteLength;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
  }

  /** The memory; of length 0 once closed. */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** Its address, for structures that the kernel reads. Stays inside `ffi/`. @internal */
  static addressOf(mapping: Mapping): bigint {
    return mapping.#address;
  }

  /** Detaches every view, then unmaps. Closing twice does nothing. */
  close(): void {
    if (this.#buffer.byteLength === 0) return;
    this.#buffer.transfer(0);
    this.#buffer = new ArrayBuffer(0);
    check(native().millrace_unmap(this.#address, BigInt(this.byteLength)), "munmap");
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
