import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { floatsOf, MEMBER, Members, MEMBERS_MAX, NOBODY, wordsOf } from "../../../src/ipc/sharing/mod.ts";

nameSkipReason("Members", nativeSkipReason());

const AT = 64;
const BYTES = 32;

/** Locks as the kernel keeps them: of one opener, and seen by all. */
class Locks {
  readonly #held = new Map<number, symbol>();

  /** What one opener has. */
  opener(bytes: Uint8Array<ArrayBuffer>) {
    const me = Symbol();
    const held = this.#held;
    return {
      bytes,
      tryLock: (index: number): boolean => {
        if (held.has(index)) return false;
        held.set(index, me);
        return true;
      },
      isLocked: (index: number): boolean => held.has(index),
      unlock: (index: number): void => void held.delete(index),
      die: (): void => {
        for (const [index, owner] of held) if (owner === me) held.delete(index);
      },
    };
  }
}

function setUp() {
  const bytes = new Uint8Array(new ArrayBuffer(AT + (MEMBERS_MAX + 1) * BYTES));
  const locks = new Locks();
  const open = () => {
    const region = locks.opener(bytes);
    const table = {
      region,
      words: wordsOf(bytes),
      floats: floatsOf(bytes),
      at: AT,
      bytes: BYTES,
      sessions: 0,
      looked: 1,
    };
    return { region, members: new Members(table) };
  };
  return { open, words: wordsOf(bytes) };
}

const nothing = (): void => {};
const nobody = (): boolean => false;

nativeTest(
  "Members: each has a number and a session of its own, and the number of who has left is had again",
  () => {
    const { open } = setUp();
    const [a, b] = [open(), open()];
    for (const { members } of [a, b]) members.enter(nothing);
    assertEquals([a.members.number, b.members.number], [1, 2]);
    assertNotStrictEquals(a.members.session, b.members.session);
    const swept: number[] = [];
    a.members.leave((number) => swept.push(number));
    assertEquals(swept, [1]);
    const c = open();
    c.members.enter(nothing);
    assertStrictEquals(c.members.number, 1);
    assert(!c.members.isSession(1, a.members.session));
    assert(c.members.isSession(1, c.members.session));
    assert(!c.members.isSession(NOBODY, 0));
  },
);

nativeTest("Members: the words of a number are prepared before others see its session", () => {
  const { open, words } = setUp();
  const { members } = open();
  let seen = -1;
  members.enter((number) => seen = words[(AT + number * BYTES >> 2) + MEMBER.session]);
  assertStrictEquals(seen, 0);
});

nativeTest("Members: what a dead one has is put in order once, while nobody can have its number", () => {
  const { open } = setUp();
  const [a, b] = [open(), open()];
  a.members.enter(nothing);
  b.members.enter(nothing);
  assert(!b.members.hasDead());
  a.region.die();
  assert(b.members.hasDead());
  assertEquals([...b.members.list()].map(({ alive }) => alive), [false, true]);
  const swept: number[] = [];
  b.members.clearDead((number) => {
    swept.push(number);
    assert(b.region.isLocked(number));
    assert(!b.members.isSession(number, a.members.session));
  }, nobody);
  assertEquals(swept, [1]);
  assert(!b.members.hasDead());
  b.members.clearDead((number) => swept.push(number), nobody);
  assertEquals(swept, [1]);
  assertEquals([...b.members.list()].length, 1);
});

nativeTest("Members: who has left nothing but its number is seen to where it may have something", () => {
  const { open } = setUp();
  const { members } = open();
  members.enter(nothing);
  const swept: number[] = [];
  members.clearDead((number) => swept.push(number), (number) => number === 7);
  assertEquals(swept, [7]);
});

nativeTest("Members: there is room for 255, and not for one more", () => {
  const { open } = setUp();
  for (let count = 0; count < MEMBERS_MAX; count++) open().members.enter(nothing);
  assertThrowsMatching(() => open().members.enter(nothing), {
    name: "Busy",
    message: "it has 255 openers already",
  });
});
