/** What distinguishes this process from others with the same process id. */
import { native } from "./library.ts";

/** When this process was started, in milliseconds since 1970 by today's clock; 0 when the system does not report it. */
export function processStartedMs(): number {
  return native().millrace_process_started_ms();
}
