import { ChildProcess } from "./child_process.ts";
import type { Command } from "./command.ts";

/** Milliseconds that a program may take for its figures; the longest here takes some 20 s. */
const FIGURES_MS_MAX = 120_000;

/** Runs a program to its end, on any processor it may use; it prints its figures as one JSON object. */
export async function figuresOf<Round>(command: Command): Promise<Round> {
  await using process = ChildProcess.start(command);
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, FIGURES_MS_MAX);
  const status = await Promise.race([process.ended, isOver]);
  clearTimeout(timer);
  if (status === undefined) throw new Error(`it had no figures after ${FIGURES_MS_MAX / 1000} s`);
  if (!status.success) throw new Error(await process.describeEnd());
  return JSON.parse(process.output);
}
