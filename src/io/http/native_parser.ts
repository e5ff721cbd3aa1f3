import { nativeHttpParse, nativeStatus } from "../../../ffi/mod.ts";
import { portableHeadParser } from "./portable_parser.ts";
import type { HeadParser } from "./request_head.ts";

/** The fastest head parser available. */
export function headParser(): HeadParser {
  return nativeStatus().available ? nativeHttpParse() : portableHeadParser;
}
