import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, string, struct, uuid } from "./definition/fields.ts";

const assignment = {
  topicPartitions: array({
    topicId: uuid(),
    topicName: string(),
    partitions: array(int32()),
  }),
};

/**
 * Describes groups of the new protocol.
 *
 * ```text
 * ConsumerGroupDescribeRequest (0, flexible 0+) => [groupIds] includeAuthorizedOperations
 *   groupIds => STRING
 *   includeAuthorizedOperations => BOOL
 * ConsumerGroupDescribeResponse (0, flexible 0+) => throttleTimeMs [groups]
 *   throttleTimeMs => INT32
 *   groups => errorCode errorMessage groupId groupState groupEpoch assignmentEpoch assignorName [members]
 *         authorizedOperations
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     groupId => STRING
 *     groupState => STRING
 *     groupEpoch => INT32
 *     assignmentEpoch => INT32
 *     assignorName => STRING
 *     members => memberId instanceId rackId memberEpoch clientId clientHost [subscribedTopicNames]
 *           subscribedTopicRegex assignment targetAssignment
 *       memberId => STRING
 *       instanceId (nullable) => STRING
 *       rackId (nullable) => STRING
 *       memberEpoch => INT32
 *       clientId => STRING
 *       clientHost => STRING
 *       subscribedTopicNames => STRING
 *       subscribedTopicRegex (nullable) => STRING
 *       assignment => [topicPartitions]
 *         topicPartitions => topicId topicName [partitions]
 *           topicId => UUID
 *           topicName => STRING
 *           partitions => INT32
 *       targetAssignment => [topicPartitions]
 *         topicPartitions => topicId topicName [partitions]
 *           topicId => UUID
 *           topicName => STRING
 *           partitions => INT32
 *     authorizedOperations => INT32
 * ```
 */
export const consumerGroupDescribeApi = defineApi({
  key: 69,
  name: "ConsumerGroupDescribe",
  versions: "0",
  flexibleVersions: "0+",
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+", default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string({ nullable: "0+", default: null }),
        rackId: string({ nullable: "0+", default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string({ nullable: "0+", default: null }),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
      }),
      authorizedOperations: int32({ default: -2147483648 }),
    }),
  },
});

/** A request of {@linkcode consumerGroupDescribeApi}. */
export type ConsumerGroupDescribeRequest = RequestOf<typeof consumerGroupDescribeApi>;
/** A response of {@linkcode consumerGroupDescribeApi}. */
export type ConsumerGroupDescribeResponse = ResponseOf<typeof consumerGroupDescribeApi>;
