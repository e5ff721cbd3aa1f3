import { processStartedMs, RECOVERY_CHECK_TABLE, type RecoveryCheck } from "../../../ffi/mod.ts";
import { assert } from "../../base/mod.ts";
import type { SharedRegion } from "./shared_region.ts";

/** Members that something shared can have at once: their numbers fit a byte. */
export const MEMBERS_MAX = 255;
/** The number that no member has. */
export const NOBODY = 0;

/** Words of a member, from where it begins; behind them is room for what the members of one kind of thing need. */
export const MEMBER = { session: 0, pid: 1, processStartedMs: 2, attachedMs: 4 } as const;

/** Where the members are in a region: {@linkcode MEMBERS_MAX} and one, of which number 0 is nobody. */
export interface MemberTable {
  readonly region: SharedRegion;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  /** Byte at which member 0 begins, a multiple of 8. */
  readonly at: number;
  /** Bytes of each, a multiple of 8. */
  readonly bytes: number;
  /** Index of the word that says how many sessions there have been. */
  readonly sessions: number;
  /** Index of the word that says when native code last looked for the dead. */
  readonly looked: number;
}

/** An opener of something shared, as others see it. */
export interface Participant {
  /** Its process, in the system or the container that it runs in. For display. */
  readonly pid: number;
  /** When its process was started, where the system told. */
  readonly processStartedAt?: Date;
  /** When it opened this. */
  readonly attachedAt: Date;
  /** Whether it still has it open. */
  readonly alive: boolean;
}

/**
 * Who has something shared open, each by a number.
 *
 * The holder of the lock of a number has that number; the kernel drops the lock with the last descriptor. A participant that recovers from a dead one
 * has left takes its lock meanwhile: so nobody else does, and the number is not given out before that is done.
 */
export class Members {
  /** Number of this member. */
  number: number = NOBODY;
  /** Differs for each member that ever was. */
  session = 0;
  /** Whether the member that had the number before has died, so that no waiter was woken for what it did last. */
  followsDead = false;
  readonly #table: MemberTable;

  constructor(table: MemberTable) {
    this.#table = table;
  }

  /**
   * Takes a free number, and lets `prepare()` see to its words before others see it.
   *
   * @throws {Deno.errors.Busy} when all are taken
   */
  enter(prepare: (number: number) => void): void {
    assert(this.number === NOBODY, "Members.enter: called twice");
    const { region, words, floats } = this.#table;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      if (!region.tryLock(number)) continue;
      this.number = number;
      const at = this.#wordOf(number);
      this.followsDead = this.sessionOf(number) !== 0;
      this.session = this.nextSession();
      prepare(number);
      words[at + MEMBER.pid] = Deno.pid;
      floats[at + MEMBER.processStartedMs >> 1] = processStartedMs();
      floats[at + MEMBER.attachedMs >> 1] = Date.now();
      // SYNC session
      Atomics.store(words, at + MEMBER.session, this.session);
      return;
    }
    throw new Deno.errors.Busy(`it has ${MEMBERS_MAX} openers already`);
  }

  /** Gives back this member's number, behind what `sweep()` puts in order. */
  leave(sweep: (number: number) => void): void {
    assert(this.number !== NOBODY, "Members.leave: it has no number");
    this.#clear(this.number, sweep);
    this.#table.region.unlock(this.number);
  }

  /** A session that no member has had. */
  nextSession(): number {
    for (;;) {
      const session = Atomics.add(this.#table.words, this.#table.sessions, 1) + 1 | 0;
      if (session !== 0) return session;
    }
  }

  /** Session of who has `number`; 0: nobody. SYNC session. */
  sessionOf(number: number): number {
    return Atomics.load(this.#table.words, this.#wordOf(number) + MEMBER.session);
  }

  /** Whether `session` is that of the one who has `number` now. */
  isSession(number: number, session: number): boolean {
    return number !== NOBODY && this.sessionOf(number) === session;
  }

  /** Whether a member has died without leaving. */
  hasDead(): boolean {
    const { region } = this.#table;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      if (number === this.number) continue;
      if (this.sessionOf(number) !== 0 && !region.isLocked(number)) return true;
    }
    return false;
  }

  /**
   * Has `sweep()` put in order what each of the dead has; whether there were any: of what those did last, nobody was told. A number without
   * a session counts as well where `mayHave()` says so: who had it may have left nothing but the name. Nobody can have the number while
   * `sweep()` runs.
   */
  clearDead(sweep: (number: number) => void, mayHave: (number: number) => boolean): boolean {
    const { region } = this.#table;
    let found = false;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      if (number === this.number) continue;
      if (this.sessionOf(number) === 0 && !mayHave(number)) continue;
      if (region.isLocked(number) || !region.tryLock(number)) continue;
      this.#clear(number, sweep);
      region.unlock(number);
      found = true;
    }
    return found;
  }

  /** What native code looks at while this member sleeps: the others; `undefined` where it cannot. For who has a number. */
  recoveryCheck(): RecoveryCheck | undefined {
    const { region: { bytes, file }, at, bytes: memberBytes } = this.#table;
    if (file === undefined) return undefined;
    const table = new Int32Array(RECOVERY_CHECK_TABLE.words);
    table[RECOVERY_CHECK_TABLE.number] = this.number;
    table[RECOVERY_CHECK_TABLE.participantsAt] = at;
    table[RECOVERY_CHECK_TABLE.participantBytes] = memberBytes;
    table[RECOVERY_CHECK_TABLE.participantCount] = MEMBERS_MAX;
    table[RECOVERY_CHECK_TABLE.locksAt] = file.locksAt;
    table[RECOVERY_CHECK_TABLE.checkedAt] = this.#table.looked * 4;
    return { table, region: bytes, fd: file.fd };
  }

  /** Everybody who is, or seems to be. */
  *list(): Generator<Participant> {
    const { region, words, floats } = this.#table;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      const at = this.#wordOf(number);
      if (this.sessionOf(number) === 0) continue;
      const startedMs = floats[at + MEMBER.processStartedMs >> 1];
      yield {
        pid: words[at + MEMBER.pid],
        ...(startedMs > 0 ? { processStartedAt: dateOf(startedMs) } : {}),
        attachedAt: dateOf(floats[at + MEMBER.attachedMs >> 1]),
        alive: number === this.number || region.isLocked(number),
      };
    }
  }

  /** Only for who has the lock of that number. */
  #clear(number: number, sweep: (number: number) => void): void {
    const { words } = this.#table;
    const session = this.#wordOf(number) + MEMBER.session;
    // SYNC session: who does something for this member meanwhile sees that it is gone, or the sweep sees what was done.
    Atomics.store(words, session, this.nextSession());
    sweep(number);
    Atomics.store(words, session, 0);
  }

  #wordOf(number: number): number {
    return this.#table.at + number * this.#table.bytes >> 2;
  }
}

/** A date, also of what is damaged: one that is none cannot be shown. */
function dateOf(ms: number): Date {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
