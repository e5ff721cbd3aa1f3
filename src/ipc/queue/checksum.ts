import { nativeCrc32c } from "../../../ffi/mod.ts";
import { fnv1a } from "../../base/mod.ts";
import { RECORD } from "./layout.ts";
import type { QueueMemory } from "./queue_memory.ts";

/**
 * A number that tells whether a record holds the message that its slot's word speaks of: after a power cut, a file may have the
 * word of one time and the record of another.
 */
export function checksumOf(
  { words }: QueueMemory,
  record: number,
  generation: number,
  data: Uint8Array<ArrayBuffer>,
): number {
  return fnv1a([
    nativeCrc32c(data),
    generation,
    words[record + RECORD.byteLength],
    words[record + RECORD.sequence],
    words[record + RECORD.session],
  ]);
}
