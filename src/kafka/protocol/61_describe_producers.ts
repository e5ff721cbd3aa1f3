import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Describes the producers that a partition knows.
 *
 * ```text
 * DescribeProducersRequest (0, flexible 0+) => [topics]
 *   topics => name [partitionIndexes]
 *     name => STRING
 *     partitionIndexes => INT32
 * DescribeProducersResponse (0, flexible 0+) => throttleTimeMs [topics]
 *   throttleTimeMs => INT32
 *   topics => name [partitions]
 *     name => STRING
 *     partitions => partitionIndex errorCode errorMessage [activeProducers]
 *       partitionIndex => INT32
 *       errorCode => INT16
 *       errorMessage (nullable) => STRING
 *       activeProducers => producerId producerEpoch lastSequence lastTimestamp coordinatorEpoch
 *             currentTxnStartOffset
 *         producerId => INT64
 *         producerEpoch => INT32
 *         lastSequence => INT32
 *         lastTimestamp => INT64
 *         coordinatorEpoch => INT32
 *         currentTxnStartOffset => INT64
 * ```
 */
export const describeProducersApi = defineApi({
  key: 61,
  name: "DescribeProducers",
  versions: "0",
  flexibleVersions: "0+",
  request: {
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: "0+", default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32({ default: -1 }),
          lastTimestamp: int64({ default: -1n }),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64({ default: -1n }),
        }),
      }),
    }),
  },
});

/** A request of {@linkcode describeProducersApi}. */
export type DescribeProducersRequest = RequestOf<typeof describeProducersApi>;
/** A response of {@linkcode describeProducersApi}. */
export type DescribeProducersResponse = ResponseOf<typeof describeProducersApi>;
