import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, bytes, int16, int32, string } from "./definition/fields.ts";

/**
 * Joins a consumer group.
 *
 * The bytes of protocols and of members are the client's own: see `consumer_protocol.ts`.
 *
 * - version 4: a member without an id is told one and joins again
 * - version 5: static members
 *
 * ```text
 * JoinGroupRequest (0-9, flexible 6+) => groupId sessionTimeoutMs rebalanceTimeoutMs memberId
 *       groupInstanceId protocolType [protocols] reason
 *   groupId => STRING
 *   sessionTimeoutMs => INT32
 *   rebalanceTimeoutMs (1+) => INT32
 *   memberId => STRING
 *   groupInstanceId (5+, nullable) => STRING
 *   protocolType => STRING
 *   protocols => name metadata
 *     name => STRING
 *     metadata => BYTES
 *   reason (8+, nullable) => STRING
 * JoinGroupResponse (0-9, flexible 6+) => throttleTimeMs errorCode generationId protocolType protocolName
 *       leader skipAssignment memberId [members]
 *   throttleTimeMs (2+) => INT32
 *   errorCode => INT16
 *   generationId => INT32
 *   protocolType (7+, nullable) => STRING
 *   protocolName (nullable 7+) => STRING
 *   leader => STRING
 *   skipAssignment (9+) => BOOL
 *   memberId => STRING
 *   members => memberId groupInstanceId metadata
 *     memberId => STRING
 *     groupInstanceId (5+, nullable) => STRING
 *     metadata => BYTES
 * ```
 */
export const joinGroupApi = defineApi({
  key: 11,
  name: "JoinGroup",
  versions: "0-9",
  flexibleVersions: "6+",
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ versions: "1+", default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ versions: "5+", nullable: "0+", default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string({ versions: "8+", nullable: "0+", default: null, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ versions: "2+", ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ versions: "7+", nullable: "0+", default: null, ignorable: true }),
    protocolName: string({ nullable: "7+" }),
    leader: string(),
    skipAssignment: bool({ versions: "9+", default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
      metadata: bytes(),
    }),
  },
});

/** A request of {@linkcode joinGroupApi}. */
export type JoinGroupRequest = RequestOf<typeof joinGroupApi>;
/** A response of {@linkcode joinGroupApi}. */
export type JoinGroupResponse = ResponseOf<typeof joinGroupApi>;
