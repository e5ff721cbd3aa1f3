import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int64, int8, records, string, struct, uuid } from "./definition/fields.ts";

/**
 * Reads record batches from partitions, and waits for them.
 *
 * A batch is returned whole, also when the offset asked for is inside it.
 *
 * - version 4: `isolationLevel`, 0 read_uncommitted, 1 read_committed
 * - version 7: fetch sessions
 * - version 10: zstd may come
 * - version 12: tells where logs diverge
 * - version 13: topics by id in place of name
 * - version 15: `replicaState` in place of `replicaId`
 * - version 16: names of leaders that moved
 *
 * ```text
 * FetchRequest (4-16, flexible 12+) => <0: clusterId> replicaId <1: replicaState> maxWaitMs minBytes
 *       maxBytes isolationLevel sessionId sessionEpoch [topics] [forgottenTopicsData] rackId
 *   clusterId (12+, nullable) => STRING
 *   replicaId (4-14) => INT32
 *   replicaState (15+) => replicaId replicaEpoch
 *     replicaId => INT32
 *     replicaEpoch => INT64
 *   maxWaitMs => INT32
 *   minBytes => INT32
 *   maxBytes => INT32
 *   isolationLevel => INT8
 *   sessionId (7+) => INT32
 *   sessionEpoch (7+) => INT32
 *   topics => topic topicId [partitions]
 *     topic (4-12) => STRING
 *     topicId (13+) => UUID
 *     partitions => partition currentLeaderEpoch fetchOffset lastFetchedEpoch logStartOffset
 *           partitionMaxBytes
 *       partition => INT32
 *       currentLeaderEpoch (9+) => INT32
 *       fetchOffset => INT64
 *       lastFetchedEpoch (12+) => INT32
 *       logStartOffset (5+) => INT64
 *       partitionMaxBytes => INT32
 *   forgottenTopicsData (7+) => topic topicId [partitions]
 *     topic (7-12) => STRING
 *     topicId (13+) => UUID
 *     partitions => INT32
 *   rackId (11+) => STRING
 * FetchResponse (4-16, flexible 12+) => throttleTimeMs errorCode sessionId [responses] <0: [nodeEndpoints]>
 *   throttleTimeMs => INT32
 *   errorCode (7+) => INT16
 *   sessionId (7+) => INT32
 *   responses => topic topicId [partitions]
 *     topic (4-12) => STRING
 *     topicId (13+) => UUID
 *     partitions => partitionIndex errorCode highWatermark lastStableOffset logStartOffset
 *           <0: divergingEpoch> <1: currentLeader> <2: snapshotId> [abortedTransactions]
 *           preferredReadReplica records
 *       partitionIndex => INT32
 *       errorCode => INT16
 *       highWatermark => INT64
 *       lastStableOffset => INT64
 *       logStartOffset (5+) => INT64
 *       divergingEpoch (12+) => epoch endOffset
 *         epoch => INT32
 *         endOffset => INT64
 *       currentLeader (12+) => leaderId leaderEpoch
 *         leaderId => INT32
 *         leaderEpoch => INT32
 *       snapshotId (12+) => endOffset epoch
 *         endOffset => INT64
 *         epoch => INT32
 *       abortedTransactions (nullable) => producerId firstOffset
 *         producerId => INT64
 *         firstOffset => INT64
 *       preferredReadReplica (11+) => INT32
 *       records (nullable) => RECORDS
 *   nodeEndpoints (16+) => nodeId host port rack
 *     nodeId => INT32
 *     host => STRING
 *     port => INT32
 *     rack (nullable) => STRING
 * ```
 */
export const fetchApi = defineApi({
  key: 1,
  name: "Fetch",
  versions: "4-16",
  flexibleVersions: "12+",
  request: {
    clusterId: string({ versions: "12+", tag: 0, nullable: "0+", default: null, ignorable: true }),
    replicaId: int32({ versions: "4-14", default: -1 }),
    replicaState: struct({
      replicaId: int32({ default: -1 }),
      replicaEpoch: int64({ default: -1n }),
    }, { versions: "15+", tag: 1 }),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    isolationLevel: int8({ default: 0 }),
    sessionId: int32({ versions: "7+", default: 0, ignorable: true }),
    sessionEpoch: int32({ versions: "7+", default: -1, ignorable: true }),
    topics: array({
      topic: string({ versions: "4-12", ignorable: true }),
      topicId: uuid({ versions: "13+", ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ versions: "9+", default: -1, ignorable: true }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ versions: "12+", default: -1 }),
        logStartOffset: int64({ versions: "5+", default: -1n, ignorable: true }),
        partitionMaxBytes: int32(),
      }),
    }),
    forgottenTopicsData: array({
      topic: string({ versions: "7-12", ignorable: true }),
      topicId: uuid({ versions: "13+", ignorable: true }),
      partitions: array(int32()),
    }, { versions: "7+" }),
    rackId: string({ versions: "11+", default: "", ignorable: true }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: "7+", ignorable: true }),
    sessionId: int32({ versions: "7+", default: 0 }),
    responses: array({
      topic: string({ versions: "4-12", ignorable: true }),
      topicId: uuid({ versions: "13+", ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1n }),
        logStartOffset: int64({ versions: "5+", default: -1n, ignorable: true }),
        divergingEpoch: struct({
          epoch: int32({ default: -1 }),
          endOffset: int64({ default: -1n }),
        }, { versions: "12+", tag: 0 }),
        currentLeader: struct({
          leaderId: int32({ default: -1 }),
          leaderEpoch: int32({ default: -1 }),
        }, { versions: "12+", tag: 1 }),
        snapshotId: struct({
          endOffset: int64({ default: -1n }),
          epoch: int32({ default: -1 }),
        }, { versions: "12+", tag: 2 }),
        abortedTransactions: array({
          producerId: int64(),
          firstOffset: int64(),
        }, { nullable: "0+" }),
        preferredReadReplica: int32({ versions: "11+", default: -1 }),
        records: records({ nullable: "0+" }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: "0+", default: null }),
    }, { versions: "16+", tag: 0 }),
  },
});

/** A request of {@linkcode fetchApi}. */
export type FetchRequest = RequestOf<typeof fetchApi>;
/** A response of {@linkcode fetchApi}. */
export type FetchResponse = ResponseOf<typeof fetchApi>;
