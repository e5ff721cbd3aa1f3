/** Steps of a cross-process queue in one call each. What they mean is in docs/queue.md. */
import { check, EAGAIN } from "./errno.ts";
import { native } from "./library.ts";

/** Words of the state of one opener, the same as in native/src/queue_memory.rs: first what does not change, in bytes from the region's start. */
export const QUEUE_STATE = {
  capacity: 0,
  number: 1,
  slotsAt: 2,
  recordsAt: 3,
  recordBytes: 4,
  lanesAt: 5,
  laneBytes: 6,
  cellsAt: 7,
  cellCount: 8,
  countersAt: 9,
  itemsAt: 10,
  roomAt: 11,
  deliveryCountMax: 12,
  messageBytesMax: 13,
  laneCount: 14,
  dataBytes: 15,
  session: 16,
  sequence: 17,
  cursor: 18,
  /** Two words: a float64. */
  lastMs: 20,
  /** Of each lane two words: slot, counted from 1, and generation of the last message that was sent to it. */
  previous: 32,
} as const;

/** Lanes that a state has room for. */
const LANES_MAX = 64;
/** Words of a state. Behind them is a byte for each slot, 1 where the opener has the message in it, and knows so. */
export const QUEUE_STATE_WORDS = 32 + 2 * LANES_MAX;

/** Words of what is told of a message that was received. */
export const QUEUE_TOLD = {
  slot: 0,
  session: 1,
  sequence: 2,
  deliveryCount: 3,
  route: 4,
  /** {@linkcode QUEUE_LEFT}: the message is reserved, and the rest is left to the caller. */
  byteLength: 5,
  /** Two words: a float64. */
  sentMs: 6,
  /** Where its bytes are among those given. */
  at: 8,
} as const;

/** Words that each message takes there: an even number, for the float64. */
export const QUEUE_TOLD_WORDS = 10;

/** Length of a message that is left to the caller. */
export const QUEUE_LEFT = -1;

/** Memory of a queue and of one opener's state with the bytes behind it; all of it alive and long enough during a call. */
export interface NativeQueue {
  readonly state: Int32Array<ArrayBuffer>;
  readonly region: Uint8Array<ArrayBuffer>;
}

/** Native code would write to where the region was. */
function throwIfClosed(region: Uint8Array, action: string): void {
  if (region.length === 0) throw new Deno.errors.BadResource(`${action} the queue: it is closed`);
}

/** Sends a copy of `data`; the slot, or -1 when none is free. */
export function nativeQueueSend(
  { state, region }: NativeQueue,
  data: Uint8Array,
  route: number,
  expiresMs: number,
): number {
  throwIfClosed(region, "send to");
  const result = native().millrace_queue_send(
    state,
    region,
    data as Uint8Array<ArrayBuffer>,
    data.length,
    route,
    expiresMs,
  );
  if (result >= 0) return result;
  return result === -EAGAIN ? -1 : check(result, "send to the queue");
}

/** Sends copies of messages whose bytes lie one behind the other in `data`; how many had a free slot. */
export function nativeQueueSendMany(
  { state, region }: NativeQueue,
  data: Uint8Array<ArrayBuffer>,
  lengths: Int32Array<ArrayBuffer>,
  count: number,
  route: number,
  expiresMs: number,
): number {
  throwIfClosed(region, "send to");
  const symbols = native();
  return check(
    symbols.millrace_queue_send_many(state, region, data, lengths, count, route, expiresMs),
    "send to the queue",
  );
}

/**
 * Receives up to `count` messages of lanes `first` up to but not including `end`, their bytes to `data` from `at` on, and what they are to
 * `told`; how many.
 */
export function nativeQueueReceive(
  { state, region }: NativeQueue,
  first: number,
  end: number,
  acknowledge: boolean,
  told: Int32Array<ArrayBuffer>,
  count: number,
  data: Uint8Array<ArrayBuffer>,
  at: number,
): number {
  throwIfClosed(region, "receive from");
  const which = first | end << 8 | (acknowledge ? 1 << 16 : 0);
  return check(
    native().millrace_queue_receive(state, region, which, told, count, data, at),
    "receive from the queue",
  );
}

/**
 * Reserves up to `count` messages of lanes `first` up to but not including `end`, without counting deliveries: slot, length and route go to
 * `told`; how many.
 */
export function nativeQueueReserve(
  { state, region }: NativeQueue,
  first: number,
  end: number,
  told: Int32Array<ArrayBuffer>,
  count: number,
): number {
  throwIfClosed(region, "receive from");
  const result = native().millrace_queue_reserve(state, region, first | end << 8, told, count);
  return check(result, "receive from the queue");
}

/** Acknowledges the first `count` of the messages that {@linkcode nativeQueueReserve} has told of, but for those whose slot is -1 by now. */
export function nativeQueueAck(
  { state, region }: NativeQueue,
  told: Int32Array<ArrayBuffer>,
  count: number,
): void {
  throwIfClosed(region, "acknowledge messages of");
  check(native().millrace_queue_ack(state, region, told, count), "acknowledge messages of the queue");
}
