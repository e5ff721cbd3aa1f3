/** Steps of a cross-process queue in one call each. docs/queue.md describes the protocol. */
import { check, EAGAIN } from "./errno.ts";
import { native } from "./library.ts";

/** Length of a message that the caller has to handle. */
export const QUEUE_LEFT = -1;

/** Memory of a queue and of one participant's state with its bytes; all of it alive and long enough during a call. */
export interface NativeQueue {
  readonly state: Int32Array<ArrayBuffer>;
  readonly region: Uint8Array<ArrayBuffer>;
}

/** Without this check, native code would write to memory where the region no longer is. */
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

/** Sends copies of messages whose bytes are contiguous in `data`; returns how many had a free slot. */
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
 * Receives up to `count` messages of lanes `first` up to but not including `end`: their bytes go to `data` from `at` on, and their
 * descriptions to `received`. Returns how many.
 */
export function nativeQueueReceive(
  { state, region }: NativeQueue,
  first: number,
  end: number,
  acknowledge: boolean,
  received: Int32Array<ArrayBuffer>,
  count: number,
  data: Uint8Array<ArrayBuffer>,
  at: number,
): number {
  throwIfClosed(region, "receive from");
  const which = first | end << 8 | (acknowledge ? 1 << 16 : 0);
  return check(
    native().millrace_queue_receive(state, region, which, received, count, data, at),
    "receive from the queue",
  );
}

/**
 * Reserves up to `count` messages of lanes `first` up to but not including `end`, without counting deliveries: slot, length and route go to
 * `received`. Returns how many.
 */
export function nativeQueueReserve(
  { state, region }: NativeQueue,
  first: number,
  end: number,
  received: Int32Array<ArrayBuffer>,
  count: number,
): number {
  throwIfClosed(region, "receive from");
  const result = native().millrace_queue_reserve(state, region, first | end << 8, received, count);
  return check(result, "receive from the queue");
}

/** Acknowledges the first `count` of the messages that {@linkcode nativeQueueReserve} reserved, except for those whose slot is -1 by now. */
export function nativeQueueAck(
  { state, region }: NativeQueue,
  received: Int32Array<ArrayBuffer>,
  count: number,
): void {
  throwIfClosed(region, "acknowledge messages of");
  check(native().millrace_queue_ack(state, region, received, count), "acknowledge messages of the queue");
}
