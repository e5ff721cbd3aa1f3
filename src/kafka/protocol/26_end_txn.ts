import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { bool, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Commits or aborts a transaction.
 *
 * ```text
 * EndTxnRequest (0-4, flexible 3+) => transactionalId producerId producerEpoch committed
 *   transactionalId => STRING
 *   producerId => INT64
 *   producerEpoch => INT16
 *   committed => BOOL
 * EndTxnResponse (0-4, flexible 3+) => throttleTimeMs errorCode
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 * ```
 */
export const endTxnApi = defineApi({
  key: 26,
  name: "EndTxn",
  versions: "0-4",
  flexibleVersions: "3+",
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
});

/** A request of {@linkcode endTxnApi}. */
export type EndTxnRequest = RequestOf<typeof endTxnApi>;
/** A response of {@linkcode endTxnApi}. */
export type EndTxnResponse = ResponseOf<typeof endTxnApi>;
