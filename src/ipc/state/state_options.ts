import type { Abortable } from "../../base/mod.ts";
import type { RegionAccess } from "../sharing/mod.ts";

/** What a state is that is made without saying so. */
export const STATE_DEFAULTS = {
  capacity: 1024,
  keyBytesMax: 128,
  valueBytesMax: 1024,
  writersMax: 32,
} as const;

/** Options of {@linkcode SharedState.create}. */
export interface StateCreateOptions extends RegionAccess {
  /**
   * Keys that it holds: 1 to {@linkcode STATE_CAPACITY_MAX}.
   *
   * @default {1024, of STATE_DEFAULTS}
   */
  capacity?: number;
  /**
   * The longest key in bytes of UTF-8: 1 to {@linkcode STATE_KEY_BYTES_MAX}.
   *
   * @default {128, of STATE_DEFAULTS}
   */
  keyBytesMax?: number;
  /**
   * The longest value in bytes: 1 to {@linkcode STATE_VALUE_BYTES_MAX}. All memory is taken at once: `capacity`, and twice `writersMax`, times
   * `keyBytesMax`, `valueBytesMax` and 40, rounded up to 64.
   *
   * @default {1024, of STATE_DEFAULTS}
   */
  valueBytesMax?: number;
  /**
   * Openers that write, each of which needs room for two values besides those of the keys: 1 to {@linkcode STATE_PARTICIPANTS_MAX}. When there
   * are more, each may take the room of two keys.
   *
   * @default {32, of STATE_DEFAULTS}
   */
  writersMax?: number;
}

/** Options of calls that give a key a value. */
export interface SetOptions {
  /**
   * Milliseconds after which the key is gone, from 0, by the clock of the machine.
   *
   * @default {Infinity}
   */
  expiresAfterMs?: number;
}

/** Options of {@linkcode SharedState.set}. */
export interface StateSetOptions extends SetOptions {
  /**
   * Whether the key is left as it is where it is there.
   *
   * @default {false}
   */
  onlyIfAbsent?: boolean;
}

/** Options of {@linkcode SharedState.delete}. */
export interface StateDeleteOptions {
  /**
   * The version that the key must have.
   *
   * @default {any}
   */
  version?: number;
}

/** Which keys are meant. */
export interface StateKeyFilter {
  /**
   * What they begin with.
   *
   * @default {""}
   */
  prefix?: string;
}

/** Options of {@linkcode SharedState.watch}. */
export interface StateWatchOptions extends StateKeyFilter, Abortable {
  /**
   * The one key to watch, in place of all that begin with `prefix`.
   *
   * @default {all that begin with prefix}
   */
  key?: string;
  /**
   * Whether what is there when the watch begins is told first.
   *
   * @default {true}
   */
  initial?: boolean;
}
