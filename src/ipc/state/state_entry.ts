import { unpackMessagePack } from "../sharing/mod.ts";

/** What an entry is made of. */
export interface StateEntryParts {
  readonly key: string;
  readonly value: Uint8Array<ArrayBuffer>;
  readonly version: number;
  readonly expiresMs: number;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A key of a {@linkcode SharedState} and what it had at one moment, copied out of it. */
export class StateEntry {
  /** Its key. */
  readonly key: string;
  /** Its value, for the caller to keep. A counter's is its number as text. */
  readonly value: Uint8Array<ArrayBuffer>;
  /** Goes up with each change of the key, also when it was deleted in between; above 0. */
  readonly version: number;
  /** When it will be gone; `undefined`: never. */
  readonly expiresAt: Date | undefined;

  /** Of what a state has copied out. */
  constructor({ key, value, version, expiresMs }: StateEntryParts) {
    this.key = key;
    this.value = value;
    this.version = version;
    this.expiresAt = expiresMs === 0 ? undefined : new Date(expiresMs);
  }

  /** Its value as UTF-8 text, a byte order mark included. */
  text(): string {
    return decoder.decode(this.value);
  }

  /**
   * Its value as JSON; a counter's number.
   *
   * @throws {SyntaxError} when it is none
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text().replace(/^\ufeff/, "")) as T;
  }

  /**
   * Its value as MessagePack.
   *
   * @throws {Error} when it is none
   */
  messagePack<T = unknown>(): T {
    return unpackMessagePack(this.value) as T;
  }
}
