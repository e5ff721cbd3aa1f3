import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { InvariantError, SeededRandom } from "../../../src/base/mod.ts";
import {
  type BufferPool,
  SEND_QUEUE_BUFFERS_MAX,
  SendQueue,
  type SocketHandler,
} from "../../../src/io/reactor/mod.ts";
import { patternBytes, testSeeds, withSeed } from "../../support/driver_seed.ts";
import { FakeSocket, plainPool } from "../../support/net_fakes.ts";

const BUFFER_BYTES = 1024;

class Setup {
  readonly pool: BufferPool;
  readonly socket = new FakeSocket();
  readonly queue: SendQueue;

  constructor(bufferCountMax = 100) {
    this.pool = plainPool({ bufferByteLength: BUFFER_BYTES, bufferCountMax });
    this.queue = new SendQueue(this.socket, this.pool);
    const handler: SocketHandler = {
      onReceive: () => {},
      onReceiveEnd: () => {},
      onSent: () => this.queue.sent(),
      onSendFailed: () => this.queue.close(),
    };
    this.socket.attach(handler);
  }

  /** Ends sends until none is under way. */
  completeAll(): void {
    while (this.socket.sending !== undefined) this.socket.complete(this.pool);
  }

  /** Lengths of the sends so far. */
  get sentLengths(): number[] {
    return this.socket.sent.map(({ byteLength }) => byteLength);
  }
}

Deno.test("SendQueue that is idle holds no buffer", () => {
  const { queue, pool, socket } = new Setup();
  assertStrictEquals(queue.idle, true);
  queue.flush();
  assertStrictEquals(pool.heldCount, 0);
  assertStrictEquals(queue.append(new Uint8Array(10), 0), 10);
  assertEquals([queue.idle, queue.sending, pool.heldCount], [false, false, 1]);
  queue.flush();
  assertEquals([queue.idle, queue.sending, pool.heldCount], [false, true, 1]);
  socket.complete(pool);
  assertEquals([queue.idle, queue.sending, pool.heldCount], [true, false, 0]);
  assertStrictEquals(queue.sentBytes, 10);
});

Deno.test("SendQueue.flush() sends everything committed in one piece", () => {
  const setup = new Setup();
  const { queue } = setup;
  for (const byte of [1, 2, 3]) {
    assertStrictEquals(queue.reserve(2), true);
    queue.bytes[queue.at] = byte;
    queue.bytes[queue.at + 1] = byte;
    queue.commit(2);
  }
  queue.flush();
  assertEquals(setup.socket.sent, [new Uint8Array([1, 1, 2, 2, 3, 3])]);
});

Deno.test("SendQueue sends what was committed meanwhile right after the send before", () => {
  const setup = new Setup();
  const { queue, socket, pool } = setup;
  queue.append(new Uint8Array([1]), 0);
  queue.flush();
  queue.append(new Uint8Array([2]), 0);
  queue.flush();
  queue.append(new Uint8Array([3]), 0);
  assertStrictEquals(socket.sent.length, 1);
  assertStrictEquals(queue.sentBytes, 0);
  socket.complete(pool);
  assertEquals(socket.sent, [new Uint8Array([1]), new Uint8Array([2, 3])]);
  assertEquals([queue.sentBytes, queue.idle], [1, false]);
  socket.complete(pool);
  assertEquals([queue.sentBytes, queue.idle], [3, true]);
});

Deno.test("SendQueue.reserve() gives room in one piece, and leaves the rest of a buffer", () => {
  const setup = new Setup();
  const { queue } = setup;
  assertStrictEquals(queue.reserveBytesMax, BUFFER_BYTES);
  assertStrictEquals(queue.reserve(1000), true);
  queue.commit(1000);
  assertStrictEquals(queue.reserve(24), true);
  assertStrictEquals(queue.at, 1000);
  assertStrictEquals(queue.reserve(25), true);
  assertStrictEquals(queue.at, 0);
  queue.commit(25);
  assertStrictEquals(queue.reserve(BUFFER_BYTES), true);
  queue.commit(BUFFER_BYTES);
  queue.flush();
  setup.completeAll();
  assertEquals(setup.sentLengths, [1000, 25, BUFFER_BYTES]);
});

Deno.test("SendQueue.reserve() of more than a buffer holds is a mistake", () => {
  const { queue } = new Setup();
  assertThrows(() => queue.reserve(BUFFER_BYTES + 1), InvariantError);
});

Deno.test("SendQueue.reserve() that is not committed sends nothing", () => {
  const setup = new Setup();
  const { queue, socket, pool } = setup;
  assertStrictEquals(queue.reserve(10), true);
  assertStrictEquals(queue.idle, true);
  queue.flush();
  assertStrictEquals(socket.sent.length, 0);
  assertStrictEquals(queue.append(new Uint8Array([1]), 0), 1);
  queue.flush();
  socket.complete(pool);
  assertEquals(setup.sentLengths, [1]);
  assertStrictEquals(pool.heldCount, 0);
});

Deno.test("SendQueue holds at most its limit of buffers, besides the one under way", () => {
  const setup = new Setup();
  const { queue, pool, socket } = setup;
  const data = new Uint8Array(100 * BUFFER_BYTES);
  let copied = queue.append(data, 0);
  assertStrictEquals(copied, SEND_QUEUE_BUFFERS_MAX * BUFFER_BYTES);
  assertStrictEquals(queue.reserve(1), false);
  queue.flush();
  assertStrictEquals(pool.heldCount, SEND_QUEUE_BUFFERS_MAX);
  copied += queue.append(data, copied);
  assertStrictEquals(copied, (SEND_QUEUE_BUFFERS_MAX + 1) * BUFFER_BYTES);
  assertStrictEquals(pool.heldCount, SEND_QUEUE_BUFFERS_MAX + 1);
  socket.complete(pool);
  assertStrictEquals(queue.append(data, copied), BUFFER_BYTES);
  setup.completeAll();
  assertStrictEquals(pool.heldCount, 0);
  assertStrictEquals(queue.sentBytes, (SEND_QUEUE_BUFFERS_MAX + 2) * BUFFER_BYTES);
});

Deno.test("SendQueue.append() with an empty pool takes what there is room for", () => {
  const setup = new Setup(2);
  const { queue, pool } = setup;
  const data = patternBytes(1, 5000);
  let at = queue.append(data, 0);
  assertStrictEquals(at, 2 * BUFFER_BYTES);
  assertStrictEquals(queue.append(data, at), 0);
  queue.flush();
  while (at < data.byteLength || setup.socket.sending !== undefined) {
    setup.socket.complete(pool);
    at += queue.append(data, at);
    queue.flush();
  }
  assertEquals(new Uint8Array(setup.socket.sent.flatMap((piece) => [...piece])), data);
  assertEquals([pool.heldCount, queue.idle, queue.sentBytes], [0, true, 5000]);
});

Deno.test("SendQueue.append() of nothing takes no buffer", () => {
  const { queue, pool } = new Setup();
  assertStrictEquals(queue.append(new Uint8Array(0), 0), 0);
  assertStrictEquals(queue.append(new Uint8Array(5), 5), 0);
  assertEquals([pool.heldCount, queue.idle], [0, true]);
});

Deno.test("SendQueue.close() gives back every buffer that is not being sent, and takes no more", () => {
  const setup = new Setup();
  const { queue, pool, socket } = setup;
  queue.append(new Uint8Array(BUFFER_BYTES), 0);
  queue.flush();
  queue.append(new Uint8Array(3 * BUFFER_BYTES), 0);
  assertStrictEquals(pool.heldCount, 4);
  queue.close();
  queue.close();
  assertStrictEquals(pool.heldCount, 1);
  assertStrictEquals(queue.reserve(1), false);
  assertStrictEquals(queue.append(new Uint8Array(1), 0), 0);
  queue.flush();
  // What is under way is the driver's, which gives it back.
  socket.closed = true;
  socket.complete(pool);
  assertStrictEquals(pool.heldCount, 0);
  assertStrictEquals(socket.sent.length, 1);
});

Deno.test("SendQueue.close() after a send has failed leaves nothing held", () => {
  const { queue, pool, socket } = new Setup();
  queue.append(new Uint8Array(3 * BUFFER_BYTES), 0);
  queue.flush();
  socket.complete(pool, new Error("gone"));
  assertStrictEquals(pool.heldCount, 0);
  queue.sent();
  assertStrictEquals(socket.sent.length, 1);
});

for (const seed of testSeeds(1)) {
  Deno.test("SendQueue sends what was put in, whatever the order of calls", () =>
    withSeed(seed, () => {
      const random = new SeededRandom(seed);
      for (let round = 0; round < 50; round++) runRandomly(random, seed + round);
    }));
}

/** Random calls by two connections that share a small pool; each sends its own bytes, all of them, in order. */
function runRandomly(random: SeededRandom, seed: number): void {
  const setups = [new Setup(), new Setup()];
  const pool = plainPool({ bufferByteLength: BUFFER_BYTES, bufferCountMax: 1 + random.below(12) });
  const sides = setups.map((setup, index) => {
    const queue = new SendQueue(setup.socket, pool);
    setup.socket.handler = undefined;
    setup.socket.attach({
      onReceive: () => {},
      onReceiveEnd: () => {},
      onSent: () => queue.sent(),
      onSendFailed: () => {},
    });
    return { socket: setup.socket, queue, data: patternBytes(seed + index, random.below(20_000)), at: 0 };
  });
  const busy = () => sides.some(({ queue, at, data }) => at < data.byteLength || !queue.idle);
  for (let step = 0; busy(); step++) {
    assert(step < 100_000, "nothing moves any more");
    const side = sides[random.below(2)];
    const { queue, socket, data } = side;
    const choice = random.below(4);
    if (choice === 0) {
      const end = Math.min(data.byteLength, side.at + random.below(5000));
      side.at += queue.append(data.subarray(0, end), side.at);
    } else if (choice === 1) {
      const count = Math.min(data.byteLength - side.at, random.below(BUFFER_BYTES));
      if (count > 0 && queue.reserve(count)) {
        queue.bytes.set(data.subarray(side.at, side.at + count), queue.at);
        queue.commit(count);
        side.at += count;
      }
    } else if (choice === 2) queue.flush();
    else if (socket.sending !== undefined) socket.complete(pool);
    assert(pool.heldCount <= pool.bufferCountMax);
  }
  for (const { socket, queue, data } of sides) {
    assertStrictEquals(queue.sentBytes, data.byteLength);
    assertEquals(concatenate(socket.sent), data);
  }
  assertStrictEquals(pool.heldCount, 0);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
