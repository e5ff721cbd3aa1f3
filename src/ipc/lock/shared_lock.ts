import { AsyncLocalStorage } from "node:async_hooks";
import type { WaitOptions } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import { SharedLockReentryError } from "./errors.ts";
import {
  type Constants,
  type OpenedRegion,
  type RegionAccess,
  type RegionFilter,
  type RegionPlace,
} from "../sharing/mod.ts";
import type { LockOptions } from "./lock_options.ts";
import { PermitGuard } from "./permit_guard.ts";
import { permitMetrics, type PermitStatus, permitStatusOf } from "./permit_status.ts";
import { Permits } from "./permits.ts";
import { LOCK_KIND } from "./permits_layout.ts";

const NO_OPTIONS = {};
/** A lock is one permit. */
const CONSTANTS: Constants<"permits"> = { permits: 1 };

/** One run of a `withLock()`. */
interface Run {
  readonly lock: SharedLock;
  ended: boolean;
}

/** The runs of `withLock()` that the running code is a part of, or was begun by. */
const enclosing = new AsyncLocalStorage<readonly Run[]>();

/**
 * A named lock between processes, which one at a time can have. When its holder dies, the next one gets it, and is told.
 *
 * Openers that wait are served in the order in which they began to; calls of one opener in the order in which they came. Needs the native
 * library, and `--allow-ffi`.
 *
 * ```ts
 * import { SharedLock } from "@millrace/millrace/state";
 *
 * const name = `example-${Deno.pid}`;
 * using lock = SharedLock.open(name); // in each process
 * await lock.withLock(async ({ abandoned }) => {
 *   if (abandoned) console.log("who had it before died: look what is half done");
 *   // Nobody else is here.
 * });
 * SharedLock.unlink(name);
 * ```
 */
export class SharedLock implements Disposable {
  /** Its name. */
  readonly name: string;
  readonly #region: SharedMemory;
  readonly #permits: Permits;
  /** Whether what this opener has, it has by a guard that a caller holds. */
  #isGuarded = false;

  /**
   * Makes a lock that must not exist yet, and opens it.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.AlreadyExists} when there is something of that name
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static create(name: string, options: RegionAccess = {}): SharedLock {
    return LOCK_KIND.create(name, CONSTANTS, options, (opened) => new SharedLock(name, opened));
  }

  /**
   * Opens an existing lock.
   *
   * @throws {RangeError} when the name is none
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no lock, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has 255 openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: RegionPlace = {}): SharedLock {
    return LOCK_KIND.connect(name, options, (opened) => new SharedLock(name, opened));
  }

  /**
   * Opens a lock, and makes it where there is none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with another mode than was asked for
   */
  static open(name: string, options: RegionAccess = {}): SharedLock {
    return LOCK_KIND.open(name, CONSTANTS, options, (opened) => new SharedLock(name, opened));
  }

  /** The locks that this process may open, by name. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return LOCK_KIND.list(options);
  }

  /**
   * Removes the name of a lock: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it, and excludes no one who
   * opens the new one.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no lock; it is left as it is
   */
  static unlink(name: string, options: RegionPlace = {}): void {
    LOCK_KIND.unlink(name, options);
  }

  /** Takes the names of locks away that no living process has open, and returns the names. */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return LOCK_KIND.removeAbandoned(options);
  }

  private constructor(name: string, { region, constants }: OpenedRegion<"permits">) {
    this.name = name;
    this.#region = region;
    this.#permits = new Permits(region, constants.permits);
  }

  /** Whether this opener has it. */
  get held(): boolean {
    return !this.#permits.closed && this.#permits.heldCount > 0;
  }

  /** The lock, if it is free or its holder is dead; `undefined` otherwise, also when this opener has it. */
  tryAcquire(): PermitGuard | undefined {
    this.#throwIfClosed();
    const permit = this.#permits.tryAcquire();
    return permit === undefined ? undefined : this.#guard(permit);
  }

  /**
   * The lock, when it is this call's turn; `using` gives it back.
   *
   * @throws {SharedLockReentryError} (as a rejection) inside a `withLock()` of this lock; and while this opener has it by this call or one like
   * it, unless `queue` is true
   */
  async acquire(options: LockOptions = NO_OPTIONS): Promise<PermitGuard> {
    this.#refuseReentry(options);
    return this.#guard(await this.#permits.acquire(`acquire lock ${this.name}`, options));
  }

  /**
   * The same, holding up the thread meanwhile: for a worker that does nothing else. `undefined` when `timeoutMs` was over first.
   *
   * @throws {SharedLockReentryError} while this opener has the lock: no other could release it
   */
  acquireSync(options: Pick<WaitOptions, "timeoutMs"> = NO_OPTIONS): PermitGuard | undefined {
    this.#throwIfClosed();
    const operation = `acquire lock ${this.name}`;
    if (this.#permits.heldCount > 0) {
      throw new SharedLockReentryError(
        operation,
        "this opener has it, and could not give it back while it waits",
      );
    }
    const permit = this.#permits.acquireSync(operation, options.timeoutMs);
    return permit === undefined ? undefined : this.#guard(permit);
  }

  /**
   * Has the lock while `body` runs; what that returns. Calls of one opener wait for each other; one inside the `body` of another rejects.
   *
   * @throws {SharedLockReentryError} (as a rejection) inside a `withLock()` of this lock; and while this opener has it by a guard, unless
   * `queue` is true
   */
  async withLock<T>(
    body: (guard: PermitGuard) => T | Promise<T>,
    options: LockOptions = NO_OPTIONS,
  ): Promise<T> {
    this.#refuseReentry(options);
    const permit = await this.#permits.acquire(`acquire lock ${this.name}`, options);
    using guard = new PermitGuard(this.#permits, permit);
    const run: Run = { lock: this, ended: false };
    try {
      return await enclosing.run([...enclosing.getStore() ?? [], run], () => body(guard));
    } finally {
      run.ended = true;
    }
  }

  /** How things are with it. */
  status(): PermitStatus {
    this.#throwIfClosed();
    return permitStatusOf(this.#permits);
  }

  /** The status as text that Prometheus reads. */
  metrics(): string {
    return permitMetrics("lock", this.name, this.status());
  }

  /** Leaves it: gives it back if this opener has it; calls that wait reject. Closing twice does nothing. */
  close(): void {
    if (this.#permits.closed) return;
    this.#permits.close(new Deno.errors.BadResource(`wait for lock ${this.name}: it is closed`));
    this.#region.close();
  }

  /** The same as {@linkcode SharedLock.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #guard(permit: ConstructorParameters<typeof PermitGuard>[1]): PermitGuard {
    this.#isGuarded = true;
    return new PermitGuard(this.#permits, permit, () => this.#isGuarded = false);
  }

  /** Refuses what would wait for itself, or may do so. */
  #refuseReentry({ queue = false }: LockOptions): void {
    this.#throwIfClosed();
    const operation = `acquire lock ${this.name}`;
    if (this.#permits.heldCount === 0) return;
    if (!this.#isGuarded) {
      if (!enclosing.getStore()?.some(({ lock, ended }) => lock === this && !ended)) return;
      throw new SharedLockReentryError(operation, "it is being asked for inside withLock() of the same lock");
    }
    if (queue) return;
    throw new SharedLockReentryError(
      operation,
      "this opener has it already; queue: true waits for another task to give it back",
    );
  }

  #throwIfClosed(): void {
    if (!this.#permits.closed) return;
    throw new Deno.errors.BadResource(`use lock ${this.name}: it is closed`);
  }
}
