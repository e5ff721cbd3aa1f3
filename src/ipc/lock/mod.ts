/**
 * Locks and semaphores that processes share, and that survive the death of any of them.
 *
 * @module
 */
export { SharedLockReentryError } from "./errors.ts";
export type { LockOptions, SemaphoreCreateOptions } from "./lock_options.ts";
export { PermitGuard } from "./permit_guard.ts";
export type { PermitStatus } from "./permit_status.ts";
export { SEMAPHORE_PERMITS_MAX } from "./permits_layout.ts";
export { SharedLock } from "./shared_lock.ts";
export { SharedSemaphore } from "./shared_semaphore.ts";
