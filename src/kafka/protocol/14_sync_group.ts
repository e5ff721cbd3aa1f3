import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bytes, int16, int32, string } from "./definition/fields.ts";

/**
 * Hands out the assignments of a group: the leader sends all, each member gets its own.
 *
 * ```text
 * SyncGroupRequest (0-5, flexible 4+) => groupId generationId memberId groupInstanceId protocolType
 *       protocolName [assignments]
 *   groupId => STRING
 *   generationId => INT32
 *   memberId => STRING
 *   groupInstanceId (3+, nullable) => STRING
 *   protocolType (5+, nullable) => STRING
 *   protocolName (5+, nullable) => STRING
 *   assignments => memberId assignment
 *     memberId => STRING
 *     assignment => BYTES
 * SyncGroupResponse (0-5, flexible 4+) => throttleTimeMs errorCode protocolType protocolName assignment
 *   throttleTimeMs (1+) => INT32
 *   errorCode => INT16
 *   protocolType (5+, nullable) => STRING
 *   protocolName (5+, nullable) => STRING
 *   assignment => BYTES
 * ```
 */
export const syncGroupApi = defineApi({
  key: 14,
  name: "SyncGroup",
  versions: "0-5",
  flexibleVersions: "4+",
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: "3+", nullable: "0+", default: null }),
    protocolType: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    protocolName: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    errorCode: int16(),
    protocolType: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    protocolName: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    assignment: bytes(),
  },
});

/** A request of {@linkcode syncGroupApi}. */
export type SyncGroupRequest = RequestOf<typeof syncGroupApi>;
/** A response of {@linkcode syncGroupApi}. */
export type SyncGroupResponse = ResponseOf<typeof syncGroupApi>;
