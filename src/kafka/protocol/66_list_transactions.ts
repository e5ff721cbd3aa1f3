import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Lists transactions.
 *
 * - version 1: only those that have lasted for a time
 *
 * ```text
 * ListTransactionsRequest (0-1, flexible 0+) => [stateFilters] [producerIdFilters] durationFilter
 *   stateFilters => STRING
 *   producerIdFilters => INT64
 *   durationFilter (1+) => INT64
 * ListTransactionsResponse (0-1, flexible 0+) => throttleTimeMs errorCode [unknownStateFilters]
 *       [transactionStates]
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   unknownStateFilters => STRING
 *   transactionStates => transactionalId producerId transactionState
 *     transactionalId => STRING
 *     producerId => INT64
 *     transactionState => STRING
 * ```
 */
export const listTransactionsApi = defineApi({
  key: 66,
  name: "ListTransactions",
  versions: "0-1",
  flexibleVersions: "0+",
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ versions: "1+", default: -1n }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
});

/** A request of {@linkcode listTransactionsApi}. */
export type ListTransactionsRequest = RequestOf<typeof listTransactionsApi>;
/** A response of {@linkcode listTransactionsApi}. */
export type ListTransactionsResponse = ResponseOf<typeof listTransactionsApi>;
