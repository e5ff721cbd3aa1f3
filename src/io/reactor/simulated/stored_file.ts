import { Deque, type SeededRandom } from "../../../base/mod.ts";
import { SparseBytes } from "./sparse_bytes.ts";

/** What a disk writes at once: a write torn by a crash is torn between sectors. */
const SECTOR_BYTES = 512;
/** Bytes of writes that one file holds back; older ones go to the disk by themselves, as a kernel's do. */
const UNSYNCED_BYTES_MAX = 1 << 26;

interface Write {
  readonly kind: "write";
  readonly position: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A change that the program made and the disk may not know of. */
type Change = Write | { readonly kind: "empty" };

/** The content of one file: what programs see, and what of it would outlive a crash. */
export class StoredFile {
  /** Whether its name would outlive a crash. */
  nameIsDurable = false;
  readonly #seen = new SparseBytes();
  readonly #durable = new SparseBytes();
  /** In the order made. */
  readonly #unsynced = new Deque<Change>();
  #unsyncedBytes = 0;

  /** Bytes up to its end. */
  get byteLength(): number {
    return this.#seen.byteLength;
  }

  /** What programs see. */
  get content(): Uint8Array<ArrayBuffer> {
    return this.#seen.toBytes();
  }

  /** What a crash would leave if it took everything it can. */
  get durableContent(): Uint8Array<ArrayBuffer> {
    return this.#durable.toBytes();
  }

  /** Fills as much of `into` as lies before the end; returns how many bytes. */
  read(position: number, into: Uint8Array): number {
    return this.#seen.read(position, into);
  }

  /** Writes; durable only after `sync()`. */
  write(position: number, bytes: Uint8Array): void {
    this.#seen.write(position, bytes);
    this.#unsynced.pushBack({ kind: "write", position, bytes: bytes.slice() });
    this.#unsyncedBytes += bytes.byteLength;
    while (this.#unsyncedBytes > UNSYNCED_BYTES_MAX) this.#takeUnsynced((change) => this.#persist(change));
  }

  /** Makes it empty; durable only after `sync()`. */
  empty(): void {
    this.#seen.clear();
    this.#unsynced.pushBack({ kind: "empty" });
  }

  /** Makes everything durable, its name included. */
  sync(): void {
    this.#takeAllUnsynced((change) => this.#persist(change));
    this.nameIsDurable = true;
  }

  /**
   * A sync that failed: of what it should have kept some reached the disk, and the rest is marked as written all the same,
   * so that no later sync brings it there. What programs see of it stays, or goes back to what the disk has.
   */
  failSync(random: SeededRandom): void {
    this.#takeAllUnsynced((change) => {
      if (random.below(2) === 0) this.#persist(change);
    });
    if (random.below(2) === 0) this.#seen.assign(this.#durable);
  }

  /** Power is lost: each change the disk was not told to keep is there, or not, or in part; then that is what is seen. */
  crash(random: SeededRandom): void {
    this.#takeAllUnsynced((change) => {
      switch (random.below(change.kind === "write" ? 4 : 2)) {
        case 0:
          break;
        case 1:
          this.#persist(change);
          break;
        case 2:
          if (change.kind === "write") this.#tear(change, random);
          break;
        case 3:
          // The new size came to the disk and the data did not.
          if (change.kind === "write") this.#durable.extend(change.position + change.bytes.byteLength);
      }
    });
    this.#seen.assign(this.#durable);
  }

  #persist(change: Change): void {
    if (change.kind === "empty") this.#durable.clear();
    else this.#durable.write(change.position, change.bytes);
  }

  /** Any of the sectors that a write touches, none before the others. */
  #tear({ position, bytes }: Write, random: SeededRandom): void {
    for (let start = 0; start < bytes.byteLength;) {
      const end = Math.min(bytes.byteLength, start + SECTOR_BYTES - (position + start) % SECTOR_BYTES);
      if (random.below(2) === 0) this.#durable.write(position + start, bytes.subarray(start, end));
      start = end;
    }
  }

  #takeAllUnsynced(use: (change: Change) => void): void {
    while (this.#unsynced.length > 0) this.#takeUnsynced(use);
  }

  #takeUnsynced(use: (change: Change) => void): void {
    const change = this.#unsynced.popFront();
    if (change === undefined) return;
    if (change.kind === "write") this.#unsyncedBytes -= change.bytes.byteLength;
    use(change);
  }
}
