import { assert, assertStrictEquals } from "@std/assert";
import {
  BroadcastLaggedError,
  ChannelClosedError,
  ClosedError,
  GateClosedError,
  QueueFullError,
} from "../../../src/base/sync/mod.ts";

Deno.test("ClosedError catches every class that says closed", () => {
  for (const error of [new GateClosedError("enter"), new ChannelClosedError("send")]) {
    assert(error instanceof ClosedError);
    assert(error instanceof Error);
  }
});

Deno.test("errors of this layer name themselves, the action and the state found", () => {
  assertStrictEquals(String(new ClosedError("take", "shop")), "ClosedError: take: the shop is closed");
  assertStrictEquals(String(new GateClosedError("enter")), "GateClosedError: enter: the gate is closed");
  assertStrictEquals(
    String(new ChannelClosedError("send")),
    "ChannelClosedError: send: the channel is closed",
  );
  const full = new QueueFullError("acquire", 7);
  assertStrictEquals(String(full), "QueueFullError: acquire: 7 wait already, expected fewer than waitingMax");
  assertStrictEquals(full.waitingMax, 7);
  const lagged = new BroadcastLaggedError("receive", 4);
  assertStrictEquals(
    String(lagged),
    "BroadcastLaggedError: receive: a value was missed, expected at most 4 to be held at once",
  );
  assertStrictEquals(lagged.capacity, 4);
});
