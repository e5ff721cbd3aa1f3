import { nativeStatus } from "../ffi/mod.ts";
import { denoExecutable, isOnPath } from "./command.ts";
import type { Availability } from "./peers.ts";

/** A program for the Deno that runs the benchmarks. */
export function onDeno(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Availability> {
  const args = ["run", "-A", program, ...words];
  return Promise.resolve({ state: "ready", command: { executable: denoExecutable(), args, env } });
}

/** A program for Node, where that is installed. */
export function onNode(program: string, words: readonly string[]): Promise<Availability> {
  return whereThere(
    "node",
    () => Promise.resolve({ state: "ready", command: { executable: "node", args: [program, ...words] } }),
  );
}

/** What needs a program on the search path that it starts itself. */
export function whereThere(executable: string, find: () => Promise<Availability>): Promise<Availability> {
  if (isOnPath(executable)) return find();
  return Promise.resolve({ state: "unavailable", reason: `${executable} is not on the search path` });
}

/** What needs the native library. */
export function whereNative(find: () => Promise<Availability>): Promise<Availability> {
  if (nativeStatus().available) return find();
  return Promise.resolve({ state: "unavailable", reason: "the native library is not there" });
}

/** What was built, with these arguments. */
export function withWords(program: Availability, args: readonly string[]): Availability {
  return program.state === "unavailable"
    ? program
    : { state: "ready", command: { ...program.command, args } };
}
