import type { WaitOptions } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import type { SemaphoreCreateOptions } from "./lock_options.ts";
import { PermitGuard } from "./permit_guard.ts";
import { permitMetrics, type PermitStatus, permitStatusOf } from "./permit_status.ts";
import { Permits } from "./permits.ts";
import { SEMAPHORE_KIND } from "./permits_layout.ts";
import type { OpenedRegion, RegionFilter, RegionPlace } from "../sharing/mod.ts";
import { SharedLockReentryError } from "./errors.ts";

const NO_OPTIONS = {};

/**
 * A named semaphore between processes: so many at a time can have a permit. When a holder dies, its permits go to the next ones, who are told.
 *
 * Openers that wait are served in the order in which they began to; calls of one opener in the order in which they came. Needs the native
 * library, and `--allow-ffi`.
 *
 * ```ts
 * import { SharedSemaphore } from "@millrace/millrace/state";
 *
 * const name = `example-${Deno.pid}`;
 * using downloads = SharedSemaphore.open(name, { permits: 4 }); // in each process
 * {
 *   using _permit = await downloads.acquire({ timeoutMs: 1000 });
 *   console.log(downloads.freeCount); // 3
 * }
 * SharedSemaphore.unlink(name);
 * ```
 */
export class SharedSemaphore implements Disposable {
  /** Its name. */
  readonly name: string;
  /** Permits that it has. */
  readonly permitCount: number;
  readonly #region: SharedMemory;
  readonly #permits: Permits;

  /**
   * Makes a semaphore that must not exist yet, and opens it.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.AlreadyExists} when there is something of that name
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static create(name: string, options: SemaphoreCreateOptions): SharedSemaphore {
    return SEMAPHORE_KIND.create(name, options, options, (opened) => new SharedSemaphore(name, opened));
  }

  /**
   * Opens an existing semaphore.
   *
   * @throws {RangeError} when the name is none
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no semaphore, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has 255 openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: RegionPlace = {}): SharedSemaphore {
    return SEMAPHORE_KIND.connect(name, options, (opened) => new SharedSemaphore(name, opened));
  }

  /**
   * Opens a semaphore, and makes it where there is none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with other permits, or another mode, than was asked for; says which
   */
  static open(name: string, options: SemaphoreCreateOptions): SharedSemaphore {
    return SEMAPHORE_KIND.open(name, options, options, (opened) => new SharedSemaphore(name, opened));
  }

  /** The semaphores that this process may open, by name. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return SEMAPHORE_KIND.list(options);
  }

  /**
   * Removes the name of a semaphore: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no semaphore; it is left as it is
   */
  static unlink(name: string, options: RegionPlace = {}): void {
    SEMAPHORE_KIND.unlink(name, options);
  }

  /** Takes the names of semaphores away that no living process has open, and returns the names. */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return SEMAPHORE_KIND.removeAbandoned(options);
  }

  private constructor(name: string, { region, constants }: OpenedRegion<"permits">) {
    this.name = name;
    this.permitCount = constants.permits;
    this.#region = region;
    this.#permits = new Permits(region, constants.permits);
  }

  /** Permits without a holder. */
  get freeCount(): number {
    this.#throwIfClosed();
    return this.#permits.freeCount;
  }

  /** A permit, if there is one without a holder, or whose holder is dead. */
  tryAcquire(): PermitGuard | undefined {
    this.#throwIfClosed();
    const permit = this.#permits.tryAcquire();
    return permit === undefined ? undefined : new PermitGuard(this.#permits, permit);
  }

  /** A permit, when it is this call's turn; `using` gives it back. */
  async acquire(options: WaitOptions = NO_OPTIONS): Promise<PermitGuard> {
    this.#throwIfClosed();
    return new PermitGuard(this.#permits, await this.#permits.acquire(this.#operation, options));
  }

  /**
   * The same, holding up the thread meanwhile: for a worker that does nothing else. `undefined` when `timeoutMs` was over first.
   *
   * @throws {SharedLockReentryError} while this opener has all permits: no other could release one
   */
  acquireSync(options: Pick<WaitOptions, "timeoutMs"> = NO_OPTIONS): PermitGuard | undefined {
    this.#throwIfClosed();
    if (this.#permits.heldCount === this.permitCount) {
      throw new SharedLockReentryError(
        this.#operation,
        "this opener has all of its permits, and could not give one back while it waits",
      );
    }
    const permit = this.#permits.acquireSync(this.#operation, options.timeoutMs);
    return permit === undefined ? undefined : new PermitGuard(this.#permits, permit);
  }

  /** Has a permit while `body` runs; what that returns. */
  async withPermit<T>(
    body: (guard: PermitGuard) => T | Promise<T>,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<T> {
    using guard = await this.acquire(options);
    return await body(guard);
  }

  /** How things are with it. */
  status(): PermitStatus {
    this.#throwIfClosed();
    return permitStatusOf(this.#permits);
  }

  /** The status as text that Prometheus reads. */
  metrics(): string {
    return permitMetrics("semaphore", this.name, this.status());
  }

  /** Leaves it: gives back what this opener has; calls that wait reject. Closing twice does nothing. */
  close(): void {
    if (this.#permits.closed) return;
    this.#permits.close(new Deno.errors.BadResource(`wait for semaphore ${this.name}: it is closed`));
    this.#region.close();
  }

  /** The same as {@linkcode SharedSemaphore.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #operation(): string {
    return `acquire a permit of semaphore ${this.name}`;
  }

  #throwIfClosed(): void {
    if (!this.#permits.closed) return;
    throw new Deno.errors.BadResource(`use semaphore ${this.name}: it is closed`);
  }
}
