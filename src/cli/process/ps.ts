import { askSupervisor } from "../../run/process/mod.ts";
import { EXIT_CODE } from "../exit_codes.ts";
import type { ProcessCommand, ProcessContext } from "../process_command.ts";
import { SOCKET_OPTION, socketPath } from "./socket.ts";
import { formatProcessTable } from "./process_table.ts";

/** `millrace ps`. */
export const ps: ProcessCommand = {
  name: "ps",
  summary: "List the processes of a supervisor",
  details: "",
  positionals: [],
  options: { ...SOCKET_OPTION, "--json": "print a line of JSON for each" },
  async run(context: ProcessContext): Promise<number> {
    const { output, flags, signal } = context;
    const { instances = [] } = await askSupervisor(socketPath(context), { command: "status" }, { signal });
    if (flags.has("json")) { for (const instance of instances) await output.line(JSON.stringify(instance)); }
    else await output.line(formatProcessTable(instances));
    return EXIT_CODE.done;
  },
};
