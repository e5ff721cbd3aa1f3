/**
 * What everything has in common that processes share in one region of memory and that survives the death of any of them: who has it open,
 * waiting and waking, and what values go in and out as.
 *
 * @module
 */
export { ScanThrottle } from "./scan_throttle.ts";
export { MEMBER, Members, MEMBERS_MAX, type MemberTable, NOBODY, type Participant } from "./members.ts";
export { type MetricRow, metricsText } from "./metrics.ts";
export {
  bytesOf,
  jsonPayload,
  messagePackPayload,
  type Payload,
  requirePayloads,
  unpackMessagePack,
} from "../../base/value/payload/mod.ts";
export {
  ANY_WORD,
  checkCount,
  type ConstantRange,
  type Constants,
  HEADER,
  type OpenedRegion,
  REGION_NAME_LENGTH_MAX,
  type RegionAccess,
  type RegionFilter,
  RegionKind,
  type RegionPlace,
  YES_OR_NO,
} from "./region_kind.ts";
export { floatsOf, type SharedRegion, wordsOf } from "./shared_region.ts";
export { Notifier, SLEEP_MS_MAX } from "./notifier.ts";
export { Slab, SLAB_BYTES } from "./slab.ts";
export { type TimedWaitOptions, type WaitKind, Waits, WAITS_MAX } from "./waits.ts";
