import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  isAbandoned,
  isImpossiblePermit,
  nextPermit,
  PERMIT_PHASE,
  permitOwnerOf,
  permitPhaseOf,
} from "../../../src/ipc/lock/permit_word.ts";
import {
  LOCK_KIND,
  PERMIT_COUNTER,
  PERMIT_MEMBER,
  PERMIT_MEMBER_BYTES,
  PERMIT_MEMBERS_AT,
  PERMIT_WORD,
  PERMITS_AT,
  SEMAPHORE_KIND,
  SEMAPHORE_PERMITS_MAX,
} from "../../../src/ipc/lock/permits_layout.ts";

Deno.test("layout of locks and semaphores: every number is as it was", () => {
  assertEquals(PERMIT_WORD, { sessions: 32, looked: 33, tickets: 64, waiting: 96 });
  assertEquals(PERMIT_MEMBER, { ticket: 6, signal: 7, counters: 16 });
  assertEquals(PERMIT_COUNTER, { acquired: 0, waited: 1, abandoned: 2 });
  assertEquals([PERMIT_MEMBERS_AT, PERMIT_MEMBER_BYTES, PERMITS_AT], [4096, 128, 9216]);
  assertEquals([LOCK_KIND.format.magic, LOCK_KIND.format.version], [0x4b434c4d, 1]);
  assertEquals([SEMAPHORE_KIND.format.magic, SEMAPHORE_KIND.format.version], [0x4d45534d, 1]);
  const found = (kind: typeof LOCK_KIND, permits: number, byteLength: number): unknown => {
    const words = new Int32Array(16);
    kind.writeHeader(words, { permits });
    const inspection = kind.inspect(words, byteLength);
    return inspection.state === "ok" ? inspection.constants.permits : inspection.found;
  };
  const outOfRange = "it is damaged: its constants are out of range";
  assertEquals([found(LOCK_KIND, 1, 36_928), found(LOCK_KIND, 2, 36_928)], [1, outOfRange]);
  assertStrictEquals(found(SEMAPHORE_KIND, 17, 36_992), 17);
  for (const permits of [0, -1, SEMAPHORE_PERMITS_MAX + 1]) {
    assertStrictEquals(found(SEMAPHORE_KIND, permits, 36_992), outOfRange);
  }
});

Deno.test("words of permits: each step has a generation of its own", () => {
  const held = nextPermit(0, PERMIT_PHASE.held, 255, false);
  assertEquals([permitPhaseOf(held), permitOwnerOf(held), isAbandoned(held)], [
    PERMIT_PHASE.held,
    255,
    false,
  ]);
  const handed = nextPermit(held, PERMIT_PHASE.handed, 1, true);
  assertEquals([permitPhaseOf(handed), permitOwnerOf(handed), isAbandoned(handed)], [
    PERMIT_PHASE.handed,
    1,
    true,
  ]);
  const last = 2 ** 21 - 1 << 11;
  assertStrictEquals(nextPermit(last, PERMIT_PHASE.free, 0, false), 0);
  assertEquals([held, handed].map((word) => word >>> 11), [1, 2]);
  for (const word of [1, 3 << 8 | 1, PERMIT_PHASE.held << 8]) assert(isImpossiblePermit(word));
  for (const word of [0, held, handed, 1 << 10]) assert(!isImpossiblePermit(word));
});
