#!/usr/bin/env -S deno run --quiet --allow-read --allow-write --allow-net --allow-run --allow-sys --allow-env --allow-ffi
/**
 * The command `millrace`; see `millrace --help`.
 *
 * @module
 */
import { runMillrace } from "./run_millrace.ts";

// A pending read of standard input would keep the process from ending.
if (import.meta.main) Deno.exit(await runMillrace(Deno.args));
