import { defaultControlPath } from "../../run/process/mod.ts";
import { type ProcessContext, SOCKET_VARIABLE } from "../process_command.ts";

/** The option with the socket on which the supervisor listens. */
export const SOCKET_OPTION = {
  "--socket <path>":
    "the supervisor's socket (default: millrace.sock in XDG_RUNTIME_DIR, else in a directory of the user's in TMPDIR or /tmp)",
} as const;

/** The socket on which the supervisor listens: from the flag, the environment or the file, else the default. */
export function socketPath({ flags, variable }: ProcessContext, inFile?: string): string {
  return flags.get("socket") ?? (variable(SOCKET_VARIABLE) || undefined) ?? inFile ?? defaultControlPath({
    runtimeDirectory: variable("XDG_RUNTIME_DIR"),
    temporaryDirectory: variable("TMPDIR"),
    uid: Deno.uid(),
  });
}
