import type { WaitOptions } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import {
  type MetricRow,
  metricsText,
  type OpenedRegion,
  type Participant,
  type RegionAccess,
  type RegionFilter,
  type RegionPlace,
} from "../sharing/mod.ts";
import { StaleBlockError } from "./errors.ts";
import { PoolBlock } from "./pool_block.ts";
import { NO_BLOCK, PoolCore } from "./pool_core.ts";
import { POOL_COUNTER, POOL_KIND, POOL_PHASE } from "./pool_layout.ts";
import { blockOfReference } from "./pool_word.ts";

const NO_OPTIONS = {};

/** Options of {@linkcode MemoryPool.create}. */
export interface PoolCreateOptions extends RegionAccess {
  /** Blocks that it has: 1 to {@linkcode POOL_BLOCKS_MAX}. */
  blockCount: number;
  /** Bytes of each: 1 to {@linkcode POOL_BLOCK_BYTES_MAX}. All memory is taken at once. */
  blockBytes: number;
}

/** How things are with a pool. */
export interface PoolStatus {
  /** Blocks that it has. */
  readonly blockCount: number;
  /** Bytes of each. */
  readonly blockBytes: number;
  /** Blocks without an owner. */
  readonly freeCount: number;
  /** Blocks that have an owner. */
  readonly ownedCount: number;
  /** Blocks that are on offer. */
  readonly offeredCount: number;
  /** Times that a free block was acquired. */
  readonly acquiredCount: number;
  /** Times that a block was released. */
  readonly releasedCount: number;
  /** Times that an offered block was taken. */
  readonly takenCount: number;
  /** Blocks that were freed because who had them had died, or they were damaged. */
  readonly recoveredCount: number;
  /** Who has it open. */
  readonly participants: readonly Participant[];
}

/**
 * A named pool of memory in blocks of one size, between processes: each block has one owner, which may hand it over by its name. The blocks
 * of who dies are free again. Needs the native library, and `--allow-ffi`.
 *
 * ```ts
 * import { MemoryPool } from "@millrace/millrace/state";
 *
 * const name = `example-${Deno.pid}`;
 * using pool = MemoryPool.create(name, { blockCount: 8, blockBytes: 4096 });
 * const block = await pool.acquire();
 * block.writeAt(0, new TextEncoder().encode("a frame"));
 * const reference = block.offer(); // to be sent to another process, which does:
 * using same = MemoryPool.connect(name);
 * {
 *   using taken = same.take(reference);
 *   console.log(new TextDecoder().decode(taken.readAt(0, 7))); // a frame
 * }
 * MemoryPool.unlink(name);
 * ```
 */
export class MemoryPool implements Disposable {
  /** Its name. */
  readonly name: string;
  /** Blocks that it has. */
  readonly blockCount: number;
  /** Bytes of each. */
  readonly blockBytes: number;
  readonly #region: SharedMemory;
  readonly #core: PoolCore;

  /**
   * Makes a pool that must not exist yet, and opens it. Its memory is taken from the system at once.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.AlreadyExists} when there is something of that name
   * @throws {Error} with the code `ENOSPC` when the system has not that much memory; nothing is left behind then
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static create(name: string, options: PoolCreateOptions): MemoryPool {
    return POOL_KIND.create(name, options, options, (opened) => new MemoryPool(name, opened));
  }

  /**
   * Opens an existing pool.
   *
   * @throws {RangeError} when the name is none
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no pool, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has 255 openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: RegionPlace = {}): MemoryPool {
    return POOL_KIND.connect(name, options, (opened) => new MemoryPool(name, opened));
  }

  /**
   * Opens a pool, and makes it where there is none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with other blocks, or another mode, than was asked for; says which
   */
  static open(name: string, options: PoolCreateOptions): MemoryPool {
    return POOL_KIND.open(name, options, options, (opened) => new MemoryPool(name, opened));
  }

  /** The pools that this process may open, by name. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return POOL_KIND.list(options);
  }

  /**
   * Removes the name of a pool: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no pool; it is left as it is
   */
  static unlink(name: string, options: RegionPlace = {}): void {
    POOL_KIND.unlink(name, options);
  }

  /** Takes the names of pools away that no living process has open, and returns the names. */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return POOL_KIND.removeAbandoned(options);
  }

  private constructor(name: string, { region, constants }: OpenedRegion<"blockCount" | "blockBytes">) {
    this.name = name;
    this.blockCount = constants.blockCount;
    this.blockBytes = constants.blockBytes;
    this.#region = region;
    this.#core = new PoolCore(region, constants.blockCount, constants.blockBytes);
  }

  /** A free block; `undefined` when there is none. */
  tryAcquire(): PoolBlock | undefined {
    this.#throwIfClosed("acquire from");
    const block = this.#core.acquire();
    return block === NO_BLOCK ? undefined : this.#blockOf(block, this.#core.generationOf(block) ?? 0);
  }

  /** A free block; waits for one. */
  async acquire(options: WaitOptions = NO_OPTIONS): Promise<PoolBlock> {
    this.#throwIfClosed("acquire from");
    return await this.#core.room.wait(
      `acquire a block of pool ${this.name}`,
      "block",
      () => this.tryAcquire(),
      options,
    );
  }

  /** The same, holding up the thread meanwhile; `undefined` when `timeoutMs` was over first. */
  acquireSync(options: Pick<WaitOptions, "timeoutMs"> = NO_OPTIONS): PoolBlock | undefined {
    this.#throwIfClosed("acquire from");
    const operation = `acquire a block of pool ${this.name}`;
    return this.#core.room.waitSync(operation, () => this.tryAcquire(), options.timeoutMs);
  }

  /**
   * Takes the block that is on offer under that name, and becomes its owner.
   *
   * @throws {RangeError} for what can be no name of a block
   * @throws {StaleBlockError} when it is not on offer: it was taken, the offer was withdrawn, or the participant that offered it has gone
   */
  take(reference: number): PoolBlock {
    this.#throwIfClosed("take a block of");
    const named = blockOfReference(reference, this.blockCount);
    if (named === undefined) {
      throw new RangeError(
        `take a block of pool ${this.name}: ${reference} names none of ${this.blockCount}`,
      );
    }
    const generation = this.#core.take(named.block, named.generation);
    if (generation !== undefined) return this.#blockOf(named.block, generation);
    throw new StaleBlockError(
      `take block ${named.block} of pool ${this.name}`,
      `nobody offers it by ${reference}, and ${this.#core.describe(named.block)}`,
    );
  }

  /** How things are with it. */
  status(): PoolStatus {
    this.#throwIfClosed("look at");
    const core = this.#core;
    return {
      blockCount: this.blockCount,
      blockBytes: this.blockBytes,
      freeCount: core.countOf(POOL_PHASE.free),
      ownedCount: core.countOf(POOL_PHASE.owned),
      offeredCount: core.countOf(POOL_PHASE.offered),
      acquiredCount: core.total(POOL_COUNTER.acquired),
      releasedCount: core.total(POOL_COUNTER.released),
      takenCount: core.total(POOL_COUNTER.taken),
      recoveredCount: core.total(POOL_COUNTER.recovered),
      participants: [...core.members.list()],
    };
  }

  /** The status as text that Prometheus reads. */
  metrics(): string {
    const status = this.status();
    const rows: MetricRow[] = [
      ["blocks", "gauge", "Blocks that the pool has", status.blockCount],
      ["free", "gauge", "Blocks without an owner", status.freeCount],
      ["owned", "gauge", "Blocks that have an owner", status.ownedCount],
      ["offered", "gauge", "Blocks that are on offer", status.offeredCount],
      ["acquired_total", "counter", "Free blocks acquired", status.acquiredCount],
      ["released_total", "counter", "Blocks released", status.releasedCount],
      ["taken_total", "counter", "Offered blocks taken", status.takenCount],
      ["recovered_total", "counter", "Blocks freed for the dead", status.recoveredCount],
    ];
    return metricsText("pool", this.name, rows, status.participants);
  }

  /** Leaves the pool: its blocks of this opener, offered ones too, are free. Closing twice does nothing. */
  close(): void {
    if (this.#core.closed) return;
    this.#core.close();
    this.#region.close();
  }

  /** The same as {@linkcode MemoryPool.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #blockOf(block: number, generation: number): PoolBlock {
    return new PoolBlock(this.#core, block, generation, this.blockBytes);
  }

  #throwIfClosed(action: string): void {
    if (this.#core.closed) throw new Deno.errors.BadResource(`${action} pool ${this.name}: it is closed`);
  }
}
