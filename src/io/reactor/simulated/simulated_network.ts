import type { ManualClock } from "../../../base/mod.ts";
import { World } from "./world.ts";

/** Options of {@linkcode SimulatedNetwork}. */
export interface SimulatedNetworkOptions {
  /**
   * Decides everything that is left to chance, from 0 to 2^32 - 1.
   *
   * @default {0}
   */
  seed?: number;
  /**
   * Longest way of a piece of data in virtual milliseconds.
   *
   * @default {1}
   */
  latencyMsMax?: number;
  /**
   * Bytes under way or waiting to be received, per direction of a connection: a sender waits for more.
   *
   * @default {65536}
   */
  capacityBytes?: number;
  /**
   * Longest piece that data is split into.
   *
   * @default {16384}
   */
  segmentBytesMax?: number;
}

const LATENCY_MS_MAX = 1;
const CAPACITY_BYTES = 65_536;
const SEGMENT_BYTES_MAX = 16_384;

/**
 * A network inside the program, with a time of its own, that simulated drivers share.
 *
 * Every address of a loopback interface can be bound, and those of hosts that were added. Drivers that wait move its clock
 * when all of them sleep; the same seed and the same program give the same run.
 *
 * @example
 * ```ts
 * import { SimulatedDriver, SimulatedNetwork } from "@millrace/millrace/reactor";
 *
 * const network = new SimulatedNetwork({ seed: 42 });
 * network.addHost("broker.example", ["192.0.2.1"]);
 * const server = new SimulatedDriver({ network });
 * const client = new SimulatedDriver({ network });
 * server.close();
 * client.close();
 * ```
 */
export class SimulatedNetwork {
  /** The seed it was made with. */
  readonly seed: number;
  readonly #world: World;

  /**
   * A network of its own.
   *
   * @throws {RangeError} when an option is out of range
   */
  constructor(options: SimulatedNetworkOptions = {}) {
    const { seed = 0, latencyMsMax = LATENCY_MS_MAX } = options;
    const { capacityBytes = CAPACITY_BYTES, segmentBytesMax = SEGMENT_BYTES_MAX } = options;
    if (!(latencyMsMax >= 0 && latencyMsMax < Infinity)) {
      throw new RangeError(
        `SimulatedNetwork: latencyMsMax is ${latencyMsMax}, expected a finite number from 0`,
      );
    }
    for (const [name, value] of Object.entries({ capacityBytes, segmentBytesMax })) {
      if (!(Number.isInteger(value) && value >= 1)) {
        throw new RangeError(`SimulatedNetwork: ${name} is ${value}, expected a whole number from 1`);
      }
    }
    this.seed = seed;
    this.#world = new World({ seed, latencyMsMax, capacityBytes, segmentBytesMax });
  }

  /** Its time. It moves by itself while drivers wait; a test may move it, too. */
  get clock(): ManualClock {
    return this.#world.scheduler.clock;
  }

  /** Makes a host name known, and its addresses (IP literals) ones that can be bound. */
  addHost(name: string, addresses: readonly string[]): void {
    this.#world.addHost(name, addresses);
  }

  /**
   * What its drivers share.
   *
   * @internal
   */
  static worldOf(network: SimulatedNetwork): World {
    return network.#world;
  }
}
