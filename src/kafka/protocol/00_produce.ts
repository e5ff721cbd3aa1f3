import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, records, string, struct } from "./definition/fields.ts";

/**
 * Appends record batches to partitions.
 *
 * `acks` is 0, 1 or -1 (all); with 0 there is no response. A broker advertises 0 to 2 as well, and refuses
 * them, as Kafka 4 does: librdkafka switches its codecs off where these versions are missing.
 *
 * - version 7: zstd may be used
 * - version 8: tells which records were refused
 * - version 10: a partition that has moved names its leader
 *
 * ```text
 * ProduceRequest (3-11, flexible 9+) => transactionalId acks timeoutMs [topicData]
 *   transactionalId (nullable) => STRING
 *   acks => INT16
 *   timeoutMs => INT32
 *   topicData => name [partitionData]
 *     name => STRING
 *     partitionData => index records
 *       index => INT32
 *       records (nullable) => RECORDS
 * ProduceResponse (3-11, flexible 9+) => [responses] throttleTimeMs <0: [nodeEndpoints]>
 *   responses => name [partitionResponses]
 *     name => STRING
 *     partitionResponses => index errorCode baseOffset logAppendTimeMs logStartOffset [recordErrors]
 *           errorMessage <0: currentLeader>
 *       index => INT32
 *       errorCode => INT16
 *       baseOffset => INT64
 *       logAppendTimeMs => INT64
 *       logStartOffset (5+) => INT64
 *       recordErrors (8+) => batchIndex batchIndexErrorMessage
 *         batchIndex => INT32
 *         batchIndexErrorMessage (nullable) => STRING
 *       errorMessage (8+, nullable) => STRING
 *       currentLeader (10+) => leaderId leaderEpoch
 *         leaderId => INT32
 *         leaderEpoch => INT32
 *   throttleTimeMs => INT32
 *   nodeEndpoints (10+) => nodeId host port rack
 *     nodeId => INT32
 *     host => STRING
 *     port => INT32
 *     rack (nullable) => STRING
 * ```
 */
export const produceApi = defineApi({
  key: 0,
  name: "Produce",
  versions: "3-11",
  advertisedVersions: "0-11",
  flexibleVersions: "9+",
  request: {
    transactionalId: string({ nullable: "0+", default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string(),
      partitionData: array({
        index: int32(),
        records: records({ nullable: "0+" }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1n }),
        logStartOffset: int64({ versions: "5+", default: -1n, ignorable: true }),
        recordErrors: array({
          batchIndex: int32(),
          batchIndexErrorMessage: string({ nullable: "0+", default: null }),
        }, { versions: "8+", ignorable: true }),
        errorMessage: string({ versions: "8+", nullable: "0+", default: null, ignorable: true }),
        currentLeader: struct({
          leaderId: int32({ default: -1 }),
          leaderEpoch: int32({ default: -1 }),
        }, { versions: "10+", tag: 0 }),
      }),
    }),
    throttleTimeMs: int32({ default: 0 }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: "0+", default: null }),
    }, { versions: "10+", tag: 0 }),
  },
});

/** A request of {@linkcode produceApi}. */
export type ProduceRequest = RequestOf<typeof produceApi>;
/** A response of {@linkcode produceApi}. */
export type ProduceResponse = ResponseOf<typeof produceApi>;
