/** What native code looks at in place of a member of something shared that sleeps. */

/** What native code is to look at, and where. */
export interface Patrol {
  /** Words of `PATROL_TABLE`. */
  readonly table: Int32Array<ArrayBuffer>;
  /** The region, in memory that a `SharedMapping` of this process shows. */
  readonly region: Uint8Array<ArrayBuffer>;
  /** Its file, as the member has it open. */
  readonly fd: number;
}
