import { assert } from "../../base/mod.ts";
import { SpscRing } from "../../ipc/ring/mod.ts";

/**
 * The memory through which the participants of a group talk: its cores, by their index, and behind them the thread that
 * started it.
 *
 * ```text
 * rings[from]       rings from one participant to every other, by their index, in slots of the same length; its own is unused
 * bells             for each participant, 128 bytes of its own:
 *
 *   word 0  bell      counted up by a waker while it sleeps without a descriptor      SYNC bell
 *        1  task      1 + the number of the task that it runs, 0 between two                   read by the stall watch
 *        2  turn      counts its rounds                                                        read by the stall watch
 *        3  wakes     the eventfd that ends its waiting; 0: its bell does                      SYNC bell
 * ```
 */
export interface MeshMemory {
  /**
   * By the participant that writes. Few large pieces, where one for each ring would be the square of that many to be sent to every
   * worker, and small ones are cleared, and so touched, when they are made.
   */
  readonly rings: readonly SharedArrayBuffer[];
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
  const byteLength = SpscRing.byteLengthFor({ capacityBytes }) * count;
  const mesh = {
    rings: Array.from({ length: count }, () => new SharedArrayBuffer(byteLength)),
    bells: new SharedArrayBuffer(count * BELL_WORDS * 4),
  };
  for (let from = 0; from < count; from++) {
    for (let to = 0; to < count; to++) {
      if (from !== to) SpscRing.create({ capacityBytes, memory: ringMemory(mesh, from, to) });
    }
  }
  return mesh;
}

/** The memory of the ring from participant `from` to participant `to`. */
export function ringMemory({ rings }: MeshMemory, from: number, to: number): Uint8Array<SharedArrayBuffer> {
  const byteLength = rings[from].byteLength / rings.length;
  assert(byteLength % 8 === 0 && to < rings.length, `mesh: ring ${from} to ${to}, of ${byteLength} bytes`);
  return new Uint8Array(rings[from], to * byteLength, byteLength);
}
