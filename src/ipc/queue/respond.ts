import type { WaitOptions } from "../../base/mod.ts";
import { type Delivery, placeOf } from "./delivery.ts";
import type { RequestHandler, RespondOptions } from "./queue_options.ts";
import { isGivenUp } from "./request.ts";

/** What messages are reserved from: a `SharedQueue`. */
export interface Reserver {
  reserve(options: WaitOptions): Promise<Delivery>;
}

/** See `SharedQueue.respond()`. */
export async function respondTo(
  queue: Reserver,
  handler: RequestHandler,
  { concurrency = 1, signal = new AbortController().signal }: RespondOptions,
): Promise<void> {
  if (typeof handler !== "function") {
    throw new TypeError(
      `respond: the handler is ${handler === null ? "null" : typeof handler}, expected a function`,
    );
  }
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new RangeError(`respond: concurrency is ${concurrency}, expected 1 or more`);
  }
  // One that fails ends the others: nothing goes on behind a call that has rejected.
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const loops = Array.from({ length: concurrency }, () => respondInTurn(queue, handler, both));
  for (const loop of loops) loop.catch((error) => ending.abort(error));
  await Promise.allSettled(loops);
  await Promise.all(loops);
}

async function respondInTurn(
  queue: Reserver,
  handler: RequestHandler,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    let delivery: Delivery;
    try {
      delivery = await queue.reserve({ signal });
    } catch (error) {
      // Damaged messages are gone, and no reason to stop.
      if (error instanceof Deno.errors.InvalidData) continue;
      if (signal.aborted || error instanceof Deno.errors.BadResource) return;
      throw error;
    }
    using _ = delivery;
    const { core, slot } = placeOf(delivery);
    if (isGivenUp(core, slot)) delivery.ack();
    else await handle(delivery, handler, signal);
  }
}

async function handle(delivery: Delivery, handler: RequestHandler, signal: AbortSignal): Promise<void> {
  try {
    const reply = await handler(delivery.message, signal);
    if (delivery.isRequest) delivery.reply(reply);
    else delivery.ack();
  } catch (error) {
    if (!delivery.isRequest) throw error;
    delivery.fail(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}
