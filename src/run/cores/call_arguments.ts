import { isPlain, portableArgument } from "../../base/value/mod.ts";

/** Arguments of one call, at most. */
export const ARGUMENTS_MAX = 255;

/** Whether the arguments are sent as they are, and can hold no signal. */
export function arePlain(args: readonly unknown[]): boolean {
  for (const value of args) if (!isPlain(value)) return false;
  return args.length <= ARGUMENTS_MAX;
}

/**
 * The signal among the arguments.
 *
 * @throws {TypeError | RangeError} when there are too many of either
 */
export function findSignal(args: readonly unknown[], name: string): AbortSignal | undefined {
  if (args.length > ARGUMENTS_MAX) {
    throw new RangeError(`call ${name}: ${args.length} arguments, at most ${ARGUMENTS_MAX} are allowed`);
  }
  const signals = new Set(args.filter((value) => value instanceof AbortSignal));
  if (signals.size > 1) {
    throw new TypeError(
      `call ${name}: ${signals.size} signals among the arguments, at most one can be followed`,
    );
  }
  const [signal] = signals;
  return signal;
}

/**
 * The arguments of a call as they are now, for one that is made later.
 *
 * @throws {TypeError} when one cannot travel
 */
export function keepArguments(args: readonly unknown[], name: string): unknown[] {
  return args.map((value, index) => {
    if (value instanceof AbortSignal) return value;
    const kept = toPortableArgument(value, index, name);
    return kept instanceof Uint8Array ? new Uint8Array(kept) : kept;
  });
}

/**
 * The arguments of a call as they are sent.
 *
 * @throws {TypeError} when one cannot travel
 */
export function toPortableArguments(args: readonly unknown[], name: string): unknown[] {
  return args.map((value, index) => toPortableArgument(value, index, name));
}

function toPortableArgument(value: unknown, index: number, name: string): unknown {
  try {
    return portableArgument(value);
  } catch (error) {
    const { message, cause } = error as TypeError;
    throw new TypeError(`call ${name}: argument ${index + 1} is ${message}`, { cause });
  }
}
