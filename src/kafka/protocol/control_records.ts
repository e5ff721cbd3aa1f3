import { int16, int32 } from "./definition/fields.ts";
import { defineMessage, type MessageValue } from "./definition/message.ts";

/** The types of control records that end a transaction. */
export const CONTROL_RECORD_TYPE = { abort: 0, commit: 1 } as const;

/**
 * The key of a control record, after its version. Consumers pass over types that they do not know.
 *
 * ```text
 * ControlRecordTypeSchema (0) => type
 *   type => INT16
 * ```
 */
export const controlRecordKey = defineMessage({
  name: "ControlRecordTypeSchema",
  versions: "0",
  flexibleVersions: "none",
  fields: {
    type: int16(),
  },
});

/**
 * The value of a control record that commits or aborts, after its version.
 *
 * ```text
 * EndTxnMarker (0) => coordinatorEpoch
 *   coordinatorEpoch => INT32
 * ```
 */
export const endTxnMarker = defineMessage({
  name: "EndTxnMarker",
  versions: "0",
  flexibleVersions: "none",
  fields: {
    coordinatorEpoch: int32(),
  },
});

/** A key of {@linkcode controlRecordKey}. */
export type ControlRecordKey = MessageValue<typeof controlRecordKey>;
/** A value of {@linkcode endTxnMarker}. */
export type EndTxnMarker = MessageValue<typeof endTxnMarker>;
