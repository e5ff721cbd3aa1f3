/** What something shared needs of its memory. `SharedMemory` has it. */
export interface SharedRegion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** This opener's file, and the byte of it whose lock is lock 0; none where native code can do nothing with it. */
  readonly file?: { readonly fd: number; readonly locksAt: number };
  tryLock(index: number): boolean;
  isLocked(index: number): boolean;
  unlock(index: number): void;
}

/** The words of `bytes`. Regions may have more bytes than shifts can count. */
export function wordsOf(
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
): Int32Array<ArrayBuffer> {
  return new Int32Array(buffer, byteOffset, Math.floor(byteLength / 4));
}

/** The doubles of `bytes`. */
export function floatsOf(
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  return new Float64Array(buffer, byteOffset, Math.floor(byteLength / 8));
}

/** What making, opening or removing the region of `subject` throws, in words about what it is. */
export function inWordsOf<T>(action: string, subject: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && action !== "create") {
      throw new Deno.errors.NotFound(`${action} ${subject}: there is none`, { cause: error });
    }
    if (error instanceof Deno.errors.AlreadyExists && action === "create") {
      throw new Deno.errors.AlreadyExists(`${action} ${subject}: it exists already`, { cause: error });
    }
    // That there is no room for it says how much was wanted, and not for what.
    if (error instanceof Error && "code" in error && !error.message.includes(subject)) {
      error.message = `${action} ${subject}: ${error.message}`;
    }
    throw error;
  }
}
