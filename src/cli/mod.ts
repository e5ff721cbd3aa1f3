/**
 * The command `millrace`.
 *
 * @module
 */
export { EXIT_CODE } from "./exit_codes.ts";
export { type MillraceHost, runMillrace } from "./run_millrace.ts";
