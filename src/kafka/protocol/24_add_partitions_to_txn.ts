import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Adds partitions to a transaction.
 *
 * ```text
 * AddPartitionsToTxnRequest (0-3, flexible 3+) => v3AndBelowTransactionalId v3AndBelowProducerId
 *       v3AndBelowProducerEpoch [v3AndBelowTopics]
 *   v3AndBelowTransactionalId => STRING
 *   v3AndBelowProducerId => INT64
 *   v3AndBelowProducerEpoch => INT16
 *   v3AndBelowTopics => name [partitions]
 *     name => STRING
 *     partitions => INT32
 * AddPartitionsToTxnResponse (0-3, flexible 3+) => throttleTimeMs [resultsByTopicV3AndBelow]
 *   throttleTimeMs => INT32
 *   resultsByTopicV3AndBelow => name [resultsByPartition]
 *     name => STRING
 *     resultsByPartition => partitionIndex partitionErrorCode
 *       partitionIndex => INT32
 *       partitionErrorCode => INT16
 * ```
 */
export const addPartitionsToTxnApi = defineApi({
  key: 24,
  name: "AddPartitionsToTxn",
  versions: "0-3",
  flexibleVersions: "3+",
  request: {
    v3AndBelowTransactionalId: string(),
    v3AndBelowProducerId: int64(),
    v3AndBelowProducerEpoch: int16(),
    v3AndBelowTopics: array({
      name: string(),
      partitions: array(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    resultsByTopicV3AndBelow: array({
      name: string(),
      resultsByPartition: array({
        partitionIndex: int32(),
        partitionErrorCode: int16(),
      }),
    }),
  },
});

/** A request of {@linkcode addPartitionsToTxnApi}. */
export type AddPartitionsToTxnRequest = RequestOf<typeof addPartitionsToTxnApi>;
/** A response of {@linkcode addPartitionsToTxnApi}. */
export type AddPartitionsToTxnResponse = ResponseOf<typeof addPartitionsToTxnApi>;
