import { errno } from "../../../../ffi/mod.ts";
import type { Scheduler } from "./scheduler.ts";

/** Operations of a simulated driver; faults are set by these names. */
export type SimulatedOperationKind =
  | "accept"
  | "connect"
  | "receive"
  | "send"
  | "receiveDatagram"
  | "sendDatagram"
  | "open"
  | "read"
  | "write"
  | "fsync"
  | "fdatasync";

/**
 * What can go wrong with one operation.
 *
 * - a symbolic error such as `"EIO"`: it fails with that. `"ECONNRESET"` on a connection ends it for both sides.
 * - `"short"`: a read or a write takes fewer bytes than it could.
 * - `"never"`: it does not complete, unless cancelled.
 * - `"delay"`: it completes late, by up to {@linkcode SimulatedFaultOptions.delayMsMax}.
 */
export type SimulatedFault = "short" | "never" | "delay" | `E${string}`;

/** Random faults: probabilities, from 0 to 1, per operation. */
export interface SimulatedFaultOptions {
  /**
   * A file is read for fewer bytes than there are.
   *
   * @default {0}
   */
  shortReadProbability?: number;
  /**
   * A file is written for fewer bytes than given.
   *
   * @default {0}
   */
  shortWriteProbability?: number;
  /**
   * A connection is reset when data is sent or received.
   *
   * @default {0}
   */
  resetProbability?: number;
  /**
   * A connection is refused although the address has a listener.
   *
   * @default {0}
   */
  refuseProbability?: number;
  /**
   * Accepting fails with EMFILE; the connection waits for the next attempt.
   *
   * @default {0}
   */
  acceptFailureProbability?: number;
  /**
   * `fsync` or `fdatasync` fails with EIO, and loses part of the data.
   *
   * @default {0}
   */
  syncFailureProbability?: number;
  /**
   * An operation of any kind does not complete unless cancelled.
   *
   * @default {0}
   */
  neverProbability?: number;
  /**
   * An operation of any kind completes late.
   *
   * @default {0}
   */
  delayProbability?: number;
  /**
   * How late at most, in virtual milliseconds.
   *
   * @default {100}
   */
  delayMsMax?: number;
  /**
   * A datagram does not arrive.
   *
   * @default {0}
   */
  datagramLossProbability?: number;
  /**
   * A datagram may be overtaken by later ones.
   *
   * @default {0}
   */
  datagramReorderProbability?: number;
  /**
   * Bytes that may still be written to files. A write beyond that is short, and later ones fail with ENOSPC.
   *
   * @default {Infinity}
   */
  enospcAfterBytes?: number;
}

/** The fate of one operation: no fault, or this one. */
export type DrawnFault = "short" | "never" | "delay" | { readonly errno: number } | undefined;

interface Injected {
  readonly fault: SimulatedFault;
  left: number;
}

const DELAY_MS_MAX = 100;
const EMFILE = 24;

/**
 * Faults of a simulated driver: random ones, and injected ones.
 *
 * @example
 * ```ts
 * import { SimulatedDriver } from "@millrace/millrace/reactor";
 *
 * const driver = new SimulatedDriver({ seed: 7, faults: { shortReadProbability: 0.2 } });
 * driver.faults.inject("fsync", "EIO");
 * driver.close();
 * ```
 */
export class SimulatedFaults {
  /** Random faults; may be changed at any time. */
  readonly settings: Required<SimulatedFaultOptions>;
  readonly #injected = new Map<SimulatedOperationKind, Injected[]>();

  /**
   * Random faults only.
   *
   * @throws {RangeError} when a probability is not from 0 to 1
   */
  constructor(options: SimulatedFaultOptions = {}) {
    this.settings = {
      shortReadProbability: probability("shortReadProbability", options),
      shortWriteProbability: probability("shortWriteProbability", options),
      resetProbability: probability("resetProbability", options),
      refuseProbability: probability("refuseProbability", options),
      acceptFailureProbability: probability("acceptFailureProbability", options),
      syncFailureProbability: probability("syncFailureProbability", options),
      neverProbability: probability("neverProbability", options),
      delayProbability: probability("delayProbability", options),
      delayMsMax: options.delayMsMax ?? DELAY_MS_MAX,
      datagramLossProbability: probability("datagramLossProbability", options),
      datagramReorderProbability: probability("datagramReorderProbability", options),
      enospcAfterBytes: options.enospcAfterBytes ?? Infinity,
    };
  }

  /**
   * Makes the next `count` operations of a kind fail, after those of earlier calls. Has no effect on operations that are already
   * under way.
   *
   * @throws {TypeError} when the fault is an error without a known number
   */
  inject(kind: SimulatedOperationKind, fault: SimulatedFault, count = 1): void {
    if (fault.startsWith("E") && errno.errnoOf(fault) === undefined) {
      throw new TypeError(
        `SimulatedFaults.inject: fault is "${fault}", expected a known error such as "EIO"`,
      );
    }
    if (!(Number.isInteger(count) && count >= 1) && count !== Infinity) {
      throw new RangeError(`SimulatedFaults.inject: count is ${count}, expected a whole number from 1`);
    }
    const injected = this.#injected.get(kind) ?? [];
    injected.push({ fault, left: count });
    this.#injected.set(kind, injected);
  }

  /** Withdraws injected faults that have not happened yet. */
  clearInjected(): void {
    this.#injected.clear();
  }

  /**
   * Decides the fate of the next operation of this kind.
   *
   * @internal
   */
  draw(kind: SimulatedOperationKind, scheduler: Scheduler): DrawnFault {
    return this.#takeInjected(kind) ?? this.#drawByChance(kind, scheduler);
  }

  #takeInjected(kind: SimulatedOperationKind): DrawnFault {
    const injected = this.#injected.get(kind);
    const first = injected?.[0];
    if (injected === undefined || first === undefined) return undefined;
    if (--first.left === 0) injected.shift();
    switch (first.fault) {
      case "short":
      case "never":
      case "delay":
        return first.fault;
      default:
        return { errno: errno.errnoOf(first.fault) ?? errno.EIO };
    }
  }

  #drawByChance(kind: SimulatedOperationKind, scheduler: Scheduler): DrawnFault {
    const { settings } = this;
    if (scheduler.chance(settings.neverProbability)) return "never";
    if (scheduler.chance(settings.delayProbability)) return "delay";
    switch (kind) {
      case "accept":
        return scheduler.chance(settings.acceptFailureProbability) ? { errno: EMFILE } : undefined;
      case "connect":
        return scheduler.chance(settings.refuseProbability) ? { errno: errno.ECONNREFUSED } : undefined;
      case "receive":
      case "send":
        return scheduler.chance(settings.resetProbability) ? { errno: errno.ECONNRESET } : undefined;
      case "read":
        return scheduler.chance(settings.shortReadProbability) ? "short" : undefined;
      case "write":
        return scheduler.chance(settings.shortWriteProbability) ? "short" : undefined;
      case "fsync":
      case "fdatasync":
        return scheduler.chance(settings.syncFailureProbability) ? { errno: errno.EIO } : undefined;
      case "open":
      case "receiveDatagram":
      case "sendDatagram":
        return undefined;
    }
  }
}

function probability(name: keyof SimulatedFaultOptions, options: SimulatedFaultOptions): number {
  const value = options[name] ?? 0;
  if (!(value >= 0 && value <= 1)) {
    throw new RangeError(`SimulatedFaults: ${name} is ${value}, expected 0 to 1`);
  }
  return value;
}
