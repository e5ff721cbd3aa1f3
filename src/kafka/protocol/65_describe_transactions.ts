import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Describes transactions.
 *
 * ```text
 * DescribeTransactionsRequest (0, flexible 0+) => [transactionalIds]
 *   transactionalIds => STRING
 * DescribeTransactionsResponse (0, flexible 0+) => throttleTimeMs [transactionStates]
 *   throttleTimeMs => INT32
 *   transactionStates => errorCode transactionalId transactionState transactionTimeoutMs
 *         transactionStartTimeMs producerId producerEpoch [topics]
 *     errorCode => INT16
 *     transactionalId => STRING
 *     transactionState => STRING
 *     transactionTimeoutMs => INT32
 *     transactionStartTimeMs => INT64
 *     producerId => INT64
 *     producerEpoch => INT16
 *     topics => topic [partitions]
 *       topic => STRING
 *       partitions => INT32
 * ```
 */
export const describeTransactionsApi = defineApi({
  key: 65,
  name: "DescribeTransactions",
  versions: "0",
  flexibleVersions: "0+",
  request: {
    transactionalIds: array(string()),
  },
  response: {
    throttleTimeMs: int32(),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({
        topic: string(),
        partitions: array(int32()),
      }),
    }),
  },
});

/** A request of {@linkcode describeTransactionsApi}. */
export type DescribeTransactionsRequest = RequestOf<typeof describeTransactionsApi>;
/** A response of {@linkcode describeTransactionsApi}. */
export type DescribeTransactionsResponse = ResponseOf<typeof describeTransactionsApi>;
