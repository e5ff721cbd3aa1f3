import assert from "node:assert/strict";
import {
  BroadcastLaggedError,
  ChannelClosedError,
  ClosedError,
  GateClosedError,
  QueueFullError,
} from "../../../src/base/sync/mod.ts";

Deno.test("ClosedError catches every class that says closed", () => {
  for (const error of [new GateClosedError("enter"), new ChannelClosedError("send")]) {
    assert.ok(error instanceof ClosedError);
    assert.ok(error instanceof Error);
  }
});

Deno.test("errors of this layer name themselves, the action and the state found", () => {
  assert.equal(String(new ClosedError("take", "shop")), "ClosedError: take: the shop is closed");
  assert.equal(String(new GateClosedError("enter")), "GateClosedError: enter: the gate is closed");
  assert.equal(String(new ChannelClosedError("send")), "ChannelClosedError: send: the channel is closed");
  const full = new QueueFullError("acquire", 7);
  assert.equal(String(full), "QueueFullError: acquire: 7 wait already, expected fewer than waitingMax");
  assert.equal(full.waitingMax, 7);
  const lagged = new BroadcastLaggedError("receive", 4);
  assert.equal(
    String(lagged),
    "BroadcastLaggedError: receive: a value was missed, expected at most 4 to be held at once",
  );
  assert.equal(lagged.capacity, 4);
});
