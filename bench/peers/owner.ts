/** The module of a process that owns values, which others ask. */
const values = new Map<string, Uint8Array>();

/** What a key has. */
export function get(key: string): Uint8Array | undefined {
  return values.get(key);
}

/** Gives a key a value. */
export function set(key: string, value: Uint8Array): void {
  values.set(key, value);
}
