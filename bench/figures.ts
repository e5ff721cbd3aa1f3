import { ChildProcess } from "./child_process.ts";
import type { Command } from "./command.ts";

/** Runs a program to its end, on any processor it may use; it prints its figures as one JSON object. */
export async function figuresOf<Round>(command: Command): Promise<Round> {
  await using process = ChildProcess.start(command);
  const { success } = await process.ended;
  if (!success) throw new Error(await process.describeEnd());
  return JSON.parse(process.output);
}
