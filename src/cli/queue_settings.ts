import {
  QUEUE_CAPACITY_MAX,
  QUEUE_DELIVERY_COUNT_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_PARTITIONS_MAX,
  QUEUE_PRIORITIES_MAX,
} from "../ipc/queue/mod.ts";
import {
  choice,
  duration,
  permissions,
  type SettingKind,
  text,
  toggle,
  wholeNumber,
} from "./setting_kinds.ts";

/**
 * Every option of the queue commands. `message-bytes-max` is the flag `--message-bytes-max`, the variable
 * `MILLRACE_QUEUE_MESSAGE_BYTES_MAX` and the key `message-bytes-max` of the table `[queue]`.
 */
export const QUEUE_SETTINGS = {
  capacity: wholeNumber(1, QUEUE_CAPACITY_MAX),
  "message-bytes-max": wholeNumber(1, QUEUE_MESSAGE_BYTES_MAX),
  priorities: wholeNumber(1, QUEUE_PRIORITIES_MAX),
  partitions: wholeNumber(0, QUEUE_PARTITIONS_MAX),
  "delivery-count-max": wholeNumber(1, QUEUE_DELIVERY_COUNT_MAX),
  "dead-letter-count-max": wholeNumber(0, QUEUE_CAPACITY_MAX),
  mode: permissions,
  directory: text("path"),
  priority: wholeNumber(0, QUEUE_PRIORITIES_MAX - 1),
  key: text("text"),
  "expires-after": duration(Number.MIN_VALUE),
  "when-full": choice("wait", "fail", "drop-oldest"),
  timeout: duration(0),
  count: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  follow: toggle,
  frames: toggle,
  json: toggle,
  prometheus: toggle,
  "dead-letters": toggle,
  prefix: text("text"),
} as const satisfies Readonly<Record<string, SettingKind<unknown>>>;

/** The name of an option. */
export type SettingName = keyof typeof QUEUE_SETTINGS;

/** The type of an option's value. */
export type SettingValue<N extends SettingName> = (typeof QUEUE_SETTINGS)[N] extends SettingKind<infer T> ? T
  : never;

/** Whether there is an option of that name. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(QUEUE_SETTINGS, name);
}
