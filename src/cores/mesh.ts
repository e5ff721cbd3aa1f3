import { SpscRing } from "../ring/mod.ts";

/**
 * The memory through which the participants of a group talk: its cores, by their index, and behind them the thread that
 * started it.
 *
 * ```text
 * rings[from][to]   a ring for every ordered pair
 * bells             for each participant, 128 bytes of its own:
 *
 *   word 0  bell      counted up by whoever wakes it while it sleeps without a descriptor      SYNC bell
 *        1  task      1 + the number of the task that it runs, 0 between two                   read by the stall watch
 *        2  turn      counts its rounds                                                        read by the stall watch
 *        3  wakes     the eventfd that ends its waiting; 0: its bell does                      SYNC bell
 * ```
 */
export interface MeshMemory {
  /** `rings[from][to]`, `undefined` on the diagonal. */
  readonly rings: readonly (readonly (SharedArrayBuffer | undefined)[])[];
  /** See above. */
  readonly bells: SharedArrayBuffer;
}

/** Words of one participant in `bells`. */
export const BELL_WORDS = 32;
/** Words of a participant, from its first. */
export const BELL = { bell: 0, task: 1, turn: 2, wakes: 3 } as const;

/**
 * Memory for `count` participants, with rings of `capacityBytes`. The system gives it page by page, when it is first touched.
 *
 * @throws {RangeError} when there is not as much
 */
export function createMesh(capacityBytes: number, count: number): MeshMemory {
  const indices = Array.from({ length: count }, (_, index) => index);
  const rings = indices.map((from) =>
    indices.map((to) =>
      from === to ? undefined : SpscRing.create({ capacityBytes }).memory as SharedArrayBuffer
    )
  );
  return { rings, bells: new SharedArrayBuffer(indices.length * BELL_WORDS * 4) };
}
