import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Adds the offsets of a group to a transaction.
 *
 * ```text
 * AddOffsetsToTxnRequest (0-4, flexible 3+) => transactionalId producerId producerEpoch groupId
 *   transactionalId => STRING
 *   producerId => INT64
 *   producerEpoch => INT16
 *   groupId => STRING
 * AddOffsetsToTxnResponse (0-4, flexible 3+) => throttleTimeMs errorCode
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 * ```
 */
export const addOffsetsToTxnApi = defineApi({
  key: 25,
  name: "AddOffsetsToTxn",
  versions: "0-4",
  flexibleVersions: "3+",
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
});

/** A request of {@linkcode addOffsetsToTxnApi}. */
export type AddOffsetsToTxnRequest = RequestOf<typeof addOffsetsToTxnApi>;
/** A response of {@linkcode addOffsetsToTxnApi}. */
export type AddOffsetsToTxnResponse = ResponseOf<typeof addOffsetsToTxnApi>;
