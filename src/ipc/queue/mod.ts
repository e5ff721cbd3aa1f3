/**
 * A named queue between processes that survives the death of any of them.
 *
 * @module
 */
export type { Abortable, WaitOptions } from "../../base/mod.ts";
export { DeadLetters } from "./dead_letters.ts";
export { Delivery } from "./delivery.ts";
export { SharedQueueFullError, SharedQueueReplyError } from "./errors.ts";
export {
  QUEUE_CAPACITY_MAX,
  QUEUE_DELIVERY_COUNT_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_PARTICIPANTS_MAX,
  QUEUE_PARTITIONS_MAX,
  QUEUE_PRIORITIES_MAX,
} from "./layout.ts";
export { MailboxBox } from "./mailbox_box.ts";
export { MAILBOX_BOXES_MAX, MAILBOX_SIZES_MIB, type MailboxSizeMib } from "./mailbox_layout.ts";
export { type MailboxOptions, SharedMailbox } from "./shared_mailbox.ts";
export { Message } from "./message.ts";
export { QUEUE_INFLATED_BYTES_MAX } from "./compression.ts";
export {
  jsonPayload,
  messagePackPayload,
  type Participant as QueueParticipant,
  type Payload,
  REGION_NAME_LENGTH_MAX as QUEUE_NAME_LENGTH_MAX,
  type RegionAccess as QueueAccess,
  type RegionFilter as QueueFilter,
  type RegionPlace as QueuePlace,
  SLEEP_MS_MAX as QUEUE_WAIT_MS_MAX,
  WAITS_MAX as QUEUE_WAITS_MAX,
} from "../sharing/mod.ts";
export type {
  MessageOptions,
  SendOptions,
  SendSyncOptions,
  TrySendOptions,
  WhenFull,
} from "./send_options.ts";
export {
  type InPlaceHandler,
  QUEUE_DEFAULTS,
  type QueueConnectOptions,
  type QueueCreateOptions,
  type QueueShape,
  type RequestHandler,
  type RequestOptions,
  type RespondOptions,
} from "./queue_options.ts";
export { SharedQueue } from "./shared_queue.ts";
export type { QueueStatus } from "./status.ts";
