/** What native code looks at in place of a member of something shared that sleeps. */

/** Words of a patrol's table, the same as in native/src/patrol.rs; places are in bytes from the region's start. */
export const PATROL_TABLE = {
  /** The member that sleeps. */
  number: 0,
  membersAt: 1,
  memberBytes: 2,
  memberCount: 3,
  /** Byte of the region's file whose lock is that of member 0. */
  locksAt: 4,
  /** What is looked for besides the dead, one of {@linkcode PATROL_LOOKS_FOR}; what follows is for that. */
  looksFor: 5,
  capacity: 6,
  slotsAt: 7,
  recordsAt: 8,
  recordBytes: 9,
  lanesAt: 10,
  laneBytes: 11,
  laneCount: 12,
  firstLane: 13,
  endLane: 14,
  /** Word that says when somebody last looked for the dead, in milliseconds of the system's monotonic clock. */
  lookedAt: 15,
} as const;

/** Words that a table has. */
export const PATROL_TABLE_WORDS = 16;

/** What a patrol can look for besides the dead: nothing, messages of a queue that can be had, or room in it. */
export const PATROL_LOOKS_FOR = { nothing: 0, messages: 1, room: 2 } as const;

/** What native code is to look at, and where. */
export interface Patrol {
  /** {@linkcode PATROL_TABLE_WORDS} of {@linkcode PATROL_TABLE}. */
  readonly table: Int32Array<ArrayBuffer>;
  /** The region, in memory that a `SharedMapping` of this process shows. */
  readonly region: Uint8Array<ArrayBuffer>;
  /** Its file, as the member has it open. */
  readonly fd: number;
}
