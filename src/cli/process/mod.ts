/**
 * The subcommands of `millrace` about processes.
 *
 * @module
 */
import type { ProcessCommand } from "../process_command.ts";
import { ps } from "./ps.ts";
import { reload } from "./reload.ts";
import { stop } from "./stop.ts";
import { supervise } from "./supervise.ts";

/** All of them, as the help lists them. */
export const processCommands: readonly ProcessCommand[] = [supervise, ps, reload, stop];
