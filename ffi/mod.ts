/**
 * Everything native: the only folder that opens the library, holds addresses and makes system calls.
 *
 * Typed calls per kernel facility, taking and giving views and numbers; no pointer leaves.
 *
 * @module
 */
export { createEventDescriptor, signalEventDescriptor } from "./event_descriptor.ts";
export { native, type NativeStatus, nativeStatus, type NativeSymbols } from "./library.ts";
export * as errno from "./errno.ts";
export { asSystemError, check, type SystemError, systemError } from "./errno.ts";
export { closeDescriptor, Mapping, resize, sizeOf } from "./memory.ts";
export {
  createSharedObject,
  fillHolesOfSharedObject,
  listSharedObjects,
  openSharedObject,
  readAt,
  reserveSharedObject,
  type SharedObjectStat,
  statSharedObject,
  syncSharedObject,
  unlinkSharedObject,
  writeAt,
} from "./shared_object.ts";
export { type ByteLockKind, isByteLocked, tryLockByte, unlockAllBytes, unlockByte } from "./byte_lock.ts";
export { TakenSignal } from "./signal.ts";
export { SharedMapping } from "./shared_mapping.ts";
export { FUTEX_WAIT_MS_MAX, type FutexResult, futexWait, futexWaitChecked, futexWake } from "./futex.ts";
export type { RecoveryCheck } from "./recovery_check.ts";
export { FutexWatch } from "./futex_watch.ts";
export { WordWatch } from "./word_watch.ts";
export {
  type NativeQueue,
  nativeQueueAck,
  nativeQueueReceive,
  nativeQueueReserve,
  nativeQueueSend,
  nativeQueueSendMany,
  QUEUE_LEFT,
} from "./queue.ts";
export {
  HEAD_FLAG,
  HEAD_LIMIT,
  HEAD_RECORD,
  HEAD_SUMMARY,
  QUEUE_COUNTER,
  QUEUE_FLAG,
  QUEUE_HINT,
  QUEUE_LANE,
  QUEUE_PHASE,
  QUEUE_RECEIVED,
  QUEUE_RECORD,
  QUEUE_SLOT,
  QUEUE_STATE,
  RECOVERY_CHECK_TABLE,
  RECOVERY_CHECKS_FOR,
} from "./layouts.ts";
export { processStartedMs } from "./process.ts";
export {
  acceptNow,
  adoptListener,
  closeOnExec,
  lendListener,
  NativeChild,
  type NativeChildHandler,
  type NativeSpawnRequest,
  type ProcessUsage,
  processUsage,
  signalNumber,
  type SpawnStep,
} from "./child.ts";
export { allowedCpus, monotonicNs, pinThread } from "./cpu.ts";
export { nativeCrc32c } from "./checksum.ts";
export { type HttpParse, nativeHttpParse } from "./http.ts";
export { PinnedMemory } from "./pinned_memory.ts";
export { PROVIDED_BUFFERS_MAX, ProvidedBuffers, type ProvidedBuffersOptions } from "./provided_buffers.ts";
export type { CompletionSink } from "./completion_ring.ts";
export { Uring } from "./uring.ts";
export type { UringOptions } from "./uring_memory.ts";
export {
  messageAddressLength,
  type MessageParts,
  writeMessageHeader,
  writeSocketAddress,
  writeVector,
} from "./uring_message.ts";
export * as uringLayout from "./uring_layout.ts";
export { Waker } from "./waker.ts";
export {
  datagramSocket,
  describe as describeSocketAddress,
  listeningSocket,
  type ListeningSocketOptions,
  localAddress,
  peerAddress,
  resolveNow,
  setKeepAlive,
  setNoDelay,
  shutdownSend,
  socketPair,
  streamSocket,
} from "./socket.ts";
export {
  decodeSocketAddress,
  encodeSocketAddress,
  formatIp,
  parseIp,
  SOCKET_ADDRESS_BYTES_MAX,
  type SocketAddress,
  UNIX_PATH_BYTES_MAX,
} from "./socket_address.ts";
