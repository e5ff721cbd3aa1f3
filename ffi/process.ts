/** What tells this process from others with its number. */
import { native } from "./library.ts";

/** When this process was started, in milliseconds since 1970 by today's clock; 0 where the system does not tell. */
export function processStartedMs(): number {
  return native().millrace_process_started_ms();
}
