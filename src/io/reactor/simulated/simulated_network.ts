import type { ManualClock } from "../../../base/mod.ts";
import { World } from "./world.ts";

/** Options of {@linkcode SimulatedNetwork}. */
export interface SimulatedNetworkOptions {
  /**
   * Seed of every random decision, from 0 to 2^32 - 1.
   *
   * @default {0}
   */
  seed?: number;
  /**
   * Longest travel time of a piece of data in virtual milliseconds.
   *
   * @default {1}
   */
  latencyMsMax?: number;
  /**
   * Bytes under way or waiting to be received, per direction of a connection; a sender waits beyond that.
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
 * A network inside the program, with its own virtual time, that simulated drivers share.
 *
 * Every loopback address can be bound, and those of added hosts. The clock moves when all drivers of the network sleep; the
 * same seed and the same program give the same run.
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

  /** Its clock, which moves while drivers wait. A test may move it, too. */
  get clock(): ManualClock {
    return this.#world.scheduler.clock;
  }

  /** Registers a host name; its addresses (IP literals) can be bound from then on. */
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
