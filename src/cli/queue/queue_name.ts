import { nameProblem } from "../../base/mod.ts";
import { QUEUE_NAME_LENGTH_MAX } from "../../ipc/queue/mod.ts";
import { UsageError } from "../exit_codes.ts";

/**
 * The name of a queue from the command line.
 *
 * @throws {UsageError} when it is not valid
 */
export function queueName(text: string): string {
  const problem = nameProblem(text, QUEUE_NAME_LENGTH_MAX);
  if (problem === undefined) return text;
  throw new UsageError(`name is ${problem}`);
}
