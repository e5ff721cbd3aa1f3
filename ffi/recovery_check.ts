/** What native code checks in place of a participant of a shared region that sleeps. */

/** What to check for, and where: dead participants, and changes whose notification was lost. */
export interface RecoveryCheck {
  /** Words of `RECOVERY_CHECK_TABLE`. */
  readonly table: Int32Array<ArrayBuffer>;
  /** The region, in memory that a `SharedMapping` of this process maps. */
  readonly region: Uint8Array<ArrayBuffer>;
  /** Its file, as the participant has it open. */
  readonly fd: number;
}
