import { Deque, type SeededRandom } from "../../../base/mod.ts";
import { SparseBytes } from "./sparse_bytes.ts";

/** Bytes that a disk writes at once: a crash tears a write only between sectors. */
const SECTOR_BYTES = 512;
/** Bytes of unsynced writes that one file keeps back; older ones become durable by themselves, as with a kernel. */
const UNSYNCED_BYTES_MAX = 1 << 26;

interface Write {
  readonly kind: "write";
  readonly position: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A change that the program made and that may not be durable. */
type Change = Write | { readonly kind: "empty" };

/** The content of one file: what programs see, and what would survive a crash. */
export class StoredFile {
  /** Whether its name would survive a crash. */
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

  /** What a crash leaves when it loses every change that it can. */
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
   * A sync that failed: part of the data reached the disk, and the rest is marked as clean all the same, so that no later sync
   * writes it. Programs see the unwritten data still, or again what the disk has.
   */
  failSync(random: SeededRandom): void {
    this.#takeAllUnsynced((change) => {
      if (random.below(2) === 0) this.#persist(change);
    });
    if (random.below(2) === 0) this.#seen.assign(this.#durable);
  }

  /** Power is lost: each change that was not synced is kept, lost, or kept in part; programs see the result. */
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
          // The new size reached the disk and the data did not.
          if (change.kind === "write") this.#durable.extend(change.position + change.bytes.byteLength);
      }
    });
    this.#seen.assign(this.#durable);
  }

  #persist(change: Change): void {
    if (change.kind === "empty") this.#durable.clear();
    else this.#durable.write(change.position, change.bytes);
  }

  /** Any of the sectors that a write touches, in no order. */
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
