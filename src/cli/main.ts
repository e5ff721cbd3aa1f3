#!/usr/bin/env -S deno run --quiet --allow-read --allow-write --allow-net --allow-run --allow-sys --allow-env --allow-ffi
/**
 * The command `millrace`: `millrace --help` says what it can.
 *
 * @module
 */
import { runMillrace } from "./run_millrace.ts";

// A read of standard input that is still under way would keep the process from ending.
if (import.meta.main) Deno.exit(await runMillrace(Deno.args));
