import assert from "node:assert/strict";
import { Endpoint } from "../../../src/run/cores/endpoint.ts";
import {
  CALL_BYTES_MAX,
  FRAME,
  FrameParts,
  FrameSender,
  OUTBOX_BYTES_MAX,
} from "../../../src/run/cores/frames.ts";
import { createMesh } from "../../../src/run/cores/mesh.ts";

/** Two participants, and the frames that the second is given. */
function pair(
  capacityBytes = 4096,
): { sender: FrameSender; from: Endpoint; to: Endpoint; frames: Uint8Array[] } {
  const mesh = createMesh(capacityBytes, 2);
  const frames: Uint8Array[] = [];
  const from = new Endpoint(mesh, 0, () => {});
  const to = new Endpoint(mesh, 1, (_from, view, at, byteLength) => {
    frames.push(new Uint8Array(new Uint8Array(view.buffer, view.byteOffset + at, byteLength)));
  });
  return { sender: new FrameSender(from), from, to, frames };
}

Deno.test("FrameSender.send() writes frames as the layout says", () => {
  const { sender, from, to, frames } = pair();
  sender.send(1, FRAME.call, 7, 3, [1.5, "a"]);
  from.flush();
  assert.equal(to.poll(), 1);
  const view = new DataView(frames[0].buffer);
  const words = Array.from({ length: 6 }, (_, index) => view.getInt32(index * 4, true));
  assert.deepEqual(words, [FRAME.call | 2 << 16, 7, 3, 0, 4, 8]);
  assert.equal(frames[0].length, 16 + 16 + 16);
  assert.deepEqual(FRAME, { call: 1, result: 2, error: 3, cancel: 4, part: 5 });
  assert.ok(OUTBOX_BYTES_MAX >= CALL_BYTES_MAX);
});

Deno.test("FrameSender.send() cuts what is longer than the ring's messages, and FrameParts joins it", () => {
  for (const byteLength of [1999, 2000, 2008, 2016, 2024, 2032, 2040, 6000, 50_000]) {
    const { sender, from, to, frames } = pair();
    const bytes = Uint8Array.from({ length: byteLength }, (_, index) => index * 7);
    sender.send(1, FRAME.result, 5, 0, [bytes]);
    sender.send(1, FRAME.cancel, 6, 0, [null]);
    for (let round = 0; frames.at(-1)?.[0] !== FRAME.cancel; round++) {
      assert.ok(round < 1000);
      from.flush();
      to.poll();
      from.poll();
    }
    assert.equal(from.waitingBytes(1), 0);
    const parts = new FrameParts();
    let whole: DataView | undefined;
    for (const frame of frames.slice(0, -1)) {
      assert.equal(whole, undefined);
      const view = new DataView(frame.buffer);
      whole = frame[0] === FRAME.part ? parts.take(view, 0, frame.length) : view;
    }
    assert.ok(whole !== undefined);
    assert.equal(whole.getInt32(0, true), FRAME.result | 1 << 16);
    assert.deepEqual(new Uint8Array(whole.buffer, 24, byteLength), bytes);
  }
});
