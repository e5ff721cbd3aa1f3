import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import { errno, type Uring, uringLayout } from "../../../../ffi/mod.ts";
import type { OperationState } from "../../../../src/io/reactor/mod.ts";
import { OperationTable, UringOperation } from "../../../../src/io/reactor/uring/operation_table.ts";

const { more } = uringLayout.CQE_FLAG;

/** A submission ring of so many entries, which takes what it is given when told to. */
class FakeRing {
  readonly entries: string[] = [];
  room: number;

  constructor(room: number) {
    this.room = room;
  }

  prepareNop(id: number): boolean {
    return this.#write(`operation ${id}`);
  }

  prepareCancel(target: number): boolean {
    return this.#write(`cancel ${target}`);
  }

  #write(entry: string): boolean {
    if (this.room === 0) return false;
    this.room--;
    this.entries.push(entry);
    return true;
  }
}

class TestOperation extends UringOperation {
  readonly completions: { readonly result: number; readonly stateThen: OperationState }[] = [];
  onComplete: () => void = () => {};

  override prepare(ring: Uring, id: number): boolean {
    return ring.prepareNop(id);
  }

  override complete(result: number): void {
    this.completions.push({ result, stateThen: this.state });
    this.onComplete();
  }
}

function setUp(room: number): { ring: FakeRing; table: OperationTable; operation: TestOperation } {
  const ring = new FakeRing(room);
  return { ring, table: new OperationTable(ring as unknown as Uring), operation: new TestOperation() };
}

Deno.test("OperationTable.submit() puts an idle operation in flight when there is room", () => {
  const { ring, table, operation } = setUp(1);
  assertStrictEquals(operation.state, "idle");
  table.submit(operation);
  assertStrictEquals(operation.state, "in-flight");
  assertEquals(ring.entries, [`operation ${operation.id}`]);
  assert(operation.id > 0);
  assertEquals([table.count, table.referencedCount, table.backlogLength], [1, 1, 0]);
  table.complete(operation.id, 7, 0);
  assertEquals(operation.completions, [{ result: 7, stateThen: "idle" }]);
  assertEquals([operation.state, operation.id, table.count, table.referencedCount], ["idle", 0, 0, 0]);
});

Deno.test("OperationTable.submit() queues an operation when there is no room", () => {
  const { ring, table, operation } = setUp(0);
  table.submit(operation);
  assertStrictEquals(operation.state, "queued");
  assertEquals([table.count, table.backlogLength, table.hasLocalWork], [1, 1, true]);
  table.drainBacklog();
  assertStrictEquals(operation.state, "queued");
  ring.room = 1;
  table.drainBacklog();
  assertStrictEquals(operation.state, "in-flight");
  assertEquals([table.backlogLength, table.hasLocalWork], [0, false]);
  table.complete(operation.id, 0, 0);
  assertStrictEquals(operation.state, "idle");
});

Deno.test("OperationTable.submit() overtakes nothing that is queued", () => {
  const { ring, table } = setUp(0);
  const operations = Array.from({ length: 4 }, () => new TestOperation());
  for (const operation of operations.slice(0, 3)) table.submit(operation);
  ring.room = 2;
  table.submit(operations[3]);
  assertStrictEquals(operations[3].state, "queued");
  table.drainBacklog();
  ring.room = 2;
  table.drainBacklog();
  assertEquals(ring.entries, operations.map(({ id }) => `operation ${id}`));
});

Deno.test("OperationTable.submit() takes an operation once", () => {
  const { table, operation } = setUp(1);
  table.submit(operation);
  assertThrowsMatching(() => table.submit(operation), { name: "InvariantError" });
});

Deno.test("OperationTable.complete() leaves a multishot in flight as long as there is more", () => {
  const { table, operation } = setUp(1);
  table.submit(operation);
  const { id } = operation;
  table.complete(id, 1, more);
  table.complete(id, 2, more);
  assertEquals([operation.state, operation.id, table.count], ["in-flight", id, 1]);
  table.complete(id, 3, 0);
  assertEquals(operation.completions, [
    { result: 1, stateThen: "in-flight" },
    { result: 2, stateThen: "in-flight" },
    { result: 3, stateThen: "idle" },
  ]);
});

Deno.test("OperationTable.cancel() of one in flight asks the kernel, and waits for it", () => {
  const { ring, table, operation } = setUp(2);
  table.submit(operation);
  const { id } = operation;
  table.cancel(operation);
  assertStrictEquals(operation.state, "cancelling");
  assertEquals(ring.entries, [`operation ${id}`, `cancel ${id}`]);
  assertEquals([operation.completions, table.count], [[], 1]);
  table.complete(id, -errno.ECANCELED, 0);
  assertEquals(operation.completions, [{ result: -errno.ECANCELED, stateThen: "idle" }]);
  assertStrictEquals(table.count, 0);
});

Deno.test("OperationTable.cancel() may be overtaken by the result", () => {
  const { table, operation } = setUp(2);
  table.submit(operation);
  table.cancel(operation);
  table.complete(operation.id, 5, 0);
  assertEquals(operation.completions, [{ result: 5, stateThen: "idle" }]);
});

Deno.test("OperationTable.cancel() of a multishot leaves it cancelling until its last completion", () => {
  const { table, operation } = setUp(2);
  table.submit(operation);
  const { id } = operation;
  table.cancel(operation);
  table.complete(id, 5, more);
  assertStrictEquals(operation.state, "cancelling");
  table.complete(id, -errno.ECANCELED, 0);
  assertStrictEquals(operation.state, "idle");
});

Deno.test("OperationTable.cancel() of a queued one withdraws it before it meets the kernel", () => {
  const { ring, table, operation } = setUp(0);
  table.submit(operation);
  table.cancel(operation);
  assertStrictEquals(operation.state, "withdrawn");
  assertEquals(operation.completions, [], "never from inside the call that asked");
  ring.room = 8;
  table.drainBacklog();
  assertEquals(ring.entries, []);
  assertStrictEquals(table.runSoon(), 1);
  assertEquals(operation.completions, [{ result: -errno.ECANCELED, stateThen: "idle" }]);
  assertEquals([table.count, table.referencedCount, table.backlogLength], [0, 0, 0]);
});

Deno.test("OperationTable.submit() starts one again that was withdrawn and is still in the backlog", () => {
  const { ring, table, operation } = setUp(0);
  table.submit(operation);
  table.cancel(operation);
  table.runSoon();
  table.submit(operation);
  assertStrictEquals(operation.state, "queued");
  ring.room = 8;
  table.drainBacklog();
  assertEquals(ring.entries, [`operation ${operation.id}`]);
  assertStrictEquals(operation.state, "in-flight");
  table.complete(operation.id, 0, 0);
  assertStrictEquals(operation.completions.length, 2);
});

Deno.test("OperationTable.cancel() waits for room like everything else", () => {
  const { ring, table, operation } = setUp(1);
  table.submit(operation);
  const { id } = operation;
  table.cancel(operation);
  assertEquals([operation.state, table.backlogLength], ["cancelling", 1]);
  ring.room = 1;
  table.drainBacklog();
  assertEquals(ring.entries, [`operation ${id}`, `cancel ${id}`]);
});

Deno.test("OperationTable.cancel() that waited is dropped when its operation has completed", () => {
  const { ring, table, operation } = setUp(1);
  table.submit(operation);
  const { id } = operation;
  table.cancel(operation);
  table.complete(id, 0, 0);
  // The number goes to another, which must not be hit.
  const other = new TestOperation();
  ring.room = 8;
  table.submit(other);
  table.drainBacklog();
  assertStrictEquals(other.id, id);
  assertEquals(ring.entries, [`operation ${id}`, `operation ${id}`]);
  assertStrictEquals(other.state, "in-flight");
});

Deno.test("OperationTable.cancel() twice asks once, and an idle one is left alone", () => {
  const { ring, table, operation } = setUp(8);
  table.cancel(operation);
  assertEquals([operation.state, ring.entries.length], ["idle", 0]);
  table.submit(operation);
  table.cancel(operation);
  table.cancel(operation);
  assertStrictEquals(ring.entries.length, 2);
});

Deno.test("OperationTable.complete() lets the operation be started again from inside", () => {
  const { table, operation } = setUp(2);
  operation.onComplete = () => {
    if (operation.completions.length === 1) table.submit(operation);
  };
  table.submit(operation);
  table.complete(operation.id, 0, 0);
  assertEquals([operation.state, table.count], ["in-flight", 1]);
});

Deno.test("OperationTable.complete() knows a completion that nobody waits for", () => {
  const { table, operation } = setUp(1);
  table.submit(operation);
  const { id } = operation;
  table.complete(id, 0, 0);
  assertThrowsMatching(() => table.complete(id, 0, 0), { name: "InvariantError" });
  assertThrowsMatching(() => table.complete(99, 0, 0), { name: "InvariantError" });
});

Deno.test("OperationTable.setReferenced() counts only what is under way", () => {
  const { table, operation } = setUp(2);
  table.setReferenced(operation, false);
  table.submit(operation);
  assertEquals([table.count, table.referencedCount], [1, 0]);
  table.setReferenced(operation, true);
  table.setReferenced(operation, true);
  assertStrictEquals(table.referencedCount, 1);
  table.setReferenced(operation, false);
  table.complete(operation.id, 0, 0);
  assertStrictEquals(table.referencedCount, 0);
});

Deno.test("OperationTable.setReferenced() tells an owner that sleeps", () => {
  const { table, operation } = setUp(2);
  let calls = 0;
  table.submit(operation);
  table.onWork = () => calls++;
  table.setReferenced(operation, false);
  table.setReferenced(operation, false);
  assertStrictEquals(calls, 1);
});

Deno.test("OperationTable.soon() keeps the process alive until it has run", () => {
  const { table } = setUp(0);
  const order: string[] = [];
  table.soon(() => {
    order.push("first");
    table.soon(() => order.push("later"));
  });
  table.soon(() => order.push("second"));
  assertEquals([table.referencedCount, table.hasLocalWork], [2, true]);
  assertStrictEquals(table.runSoon(), 2);
  assertEquals(order, ["first", "second"]);
  assertStrictEquals(table.runSoon(), 1);
  assertEquals([table.referencedCount, table.hasLocalWork, table.runSoon()], [0, false, 0]);
});

Deno.test("OperationTable.onWork tells of everything that is asked for", () => {
  const { table, operation } = setUp(8);
  let calls = 0;
  table.onWork = () => calls++;
  table.submit(operation);
  table.cancel(operation);
  table.soon(() => {});
  assertStrictEquals(calls, 3);
});

Deno.test("OperationTable gives numbers again, and none twice at a time", () => {
  const { ring, table } = setUp(Infinity);
  const underWay = new Set<TestOperation>();
  for (let round = 0; round < 1000; round++) {
    const operation = new TestOperation();
    table.submit(operation);
    underWay.add(operation);
    if (round % 3 === 0) {
      const [first] = underWay;
      underWay.delete(first);
      table.complete(first.id, 0, 0);
    }
    const ids = new Set([...underWay].map(({ id }) => id));
    if (ids.size !== underWay.size) fail("a number was given twice");
  }
  assertEquals(new Set(table.all()), underWay);
  assert(Math.max(...[...underWay].map(({ id }) => id)) <= 1000);
  assertStrictEquals(ring.entries.length, 1000);
});
