/**
 * The service of each core of examples/sharded_counter.ts.
 *
 * @module
 */
import { type Core, currentCore, Sharded } from "@millrace/millrace/cores";

/** Counts the words of one core; the words are spread over the cores. */
class WordCounter {
  readonly #counts = new Map<string, number>();

  /** Counts one more `word`. */
  add(word: string): void {
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
  }

  /** How many words, and how many distinct ones. */
  totals(): { count: number; distinctCount: number } {
    let count = 0;
    for (const each of this.#counts.values()) count += each;
    return { count, distinctCount: this.#counts.size };
  }
}

/** A counter on each core. */
export const counters: Sharded<WordCounter> = new Sharded(() => new WordCounter());

const WORDS = ["ring", "core", "reactor", "queue", "log", "broker", "segment", "offset"];
/** Words that a core sends before it waits for the results. */
const BATCH = 64;
const PAUSE_MS = 1;

/** The core that counts `word`: always the same one, so that no count is shared. */
function ownerOf(word: string, coreCount: number): number {
  let hash = 0;
  for (const character of word) hash = Math.imul(hash, 31) + character.charCodeAt(0) | 0;
  return (hash >>> 0) % coreCount;
}

/** Finds words here, and has each counted by the core that owns it, until the group stops. */
export default async function main(core: Core): Promise<void> {
  while (!core.signal.aborted) {
    await Promise.all(Array.from({ length: BATCH }, () => {
      const word = WORDS[Math.floor(Math.random() * WORDS.length)];
      return counters.invokeOn(ownerOf(word, core.count), "add", word);
    }));
    await core.sleep(PAUSE_MS).catch(() => {});
  }
}

/** The counts of all cores in one line. */
export async function report(): Promise<string> {
  const seconds = (currentCore().statistics().uptimeMs / 1000).toFixed(1);
  return await counters.mapReduce("totals", [], (all) => {
    const each = all.map(({ count, distinctCount }, core) =>
      `core ${core} ${count} (${distinctCount} distinct)`
    );
    const count = all.reduce((sum, totals) => sum + totals.count, 0);
    return `${seconds} s: ${count} words: ${each.join(", ")}`;
  });
}
