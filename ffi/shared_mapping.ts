/** Shared memory objects, mapped into this process. */
import { check } from "./errno.ts";
import { native } from "./library.ts";

/**
 * One participant's view of a shared memory object, which a process maps once for all its participants.
 *
 * `close()` empties the buffer (every view of it then has length 0) and releases the mapping; the last participant of the
 * process to do so unmaps it. A thread that ends releases its mappings.
 */
export class SharedMapping implements Disposable {
  /**
   * Maps all `fileBytes` bytes of the object `fd`, and shows those from `offset` on. The object must have that size, and keep it:
   * touching missing pages kills the process.
   *
   * @throws {Deno.errors.InvalidData} when this process has it mapped with another length
   */
  static open(fd: number, fileBytes: number, offset: number, byteLength: number): SharedMapping {
    if (!(offset >= 0 && byteLength > 0 && offset + byteLength <= fileBytes)) {
      throw new RangeError(`map: ${byteLength} bytes from ${offset} are not within ${fileBytes}`);
    }
    const out = new BigUint64Array(1);
    check(native().millrace_region_map(fd, BigInt(fileBytes), out), "mmap");
    return new SharedMapping(out[0], offset, byteLength);
  }

  /** The bytes shown; of length 0 once closed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #address: bigint;
  #closed = false;

  private constructor(address: bigint, offset: number, byteLength: number) {
    this.#address = address;
    const pointer = Deno.UnsafePointer.create(address + BigInt(offset));
    if (pointer === null) throw new Error("mmap: returned address 0");
    this.bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength));
  }

  /**
   * Resolves when the content of the object, which this participant has open as `fd`, is on its disk, whichever process wrote it.
   * Blocks no JavaScript thread. Both may be closed meanwhile.
   *
   * @throws {Error} with the code `EIO` or `ENOSPC`
   * @throws {Deno.errors.BadResource} when it is closed
   */
  async sync(fd: number): Promise<void> {
    if (this.#closed) throw new Deno.errors.BadResource("sync shared memory: it is closed");
    const number = new Uint32Array(1);
    check(native().millrace_sync_request(fd, this.#address, number), "sync shared memory");
    check(await native().millrace_sync_run(number[0]), "sync shared memory");
  }

  /** Empties the buffer, then releases the mapping. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { buffer } = this.bytes;
    // A transferred buffer is in use elsewhere, so its memory must not go away: it stays until the thread ends.
    if (buffer.detached) return;
    buffer.transfer(0);
    check(native().millrace_region_unmap(this.#address), "munmap");
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
