import { QUEUE_NAME_LENGTH_MAX } from "../../queue/mod.ts";
import { UsageError } from "../exit_codes.ts";

/**
 * The name of a queue, as it stands on the command line.
 *
 * @throws {UsageError} when it is none
 */
export function queueName(text: string): string {
  if (/^[A-Za-z0-9_.-]+$/.test(text) && text.length <= QUEUE_NAME_LENGTH_MAX) return text;
  throw new UsageError(
    `name is ${
      JSON.stringify(text)
    }, expected 1 to ${QUEUE_NAME_LENGTH_MAX} letters, digits, "_", "." and "-"`,
  );
}
