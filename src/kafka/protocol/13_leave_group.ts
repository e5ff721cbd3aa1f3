import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, string } from "./definition/fields.ts";

/**
 * Leaves a consumer group.
 *
 * - version 3: several members in one request, static ones by `groupInstanceId`
 *
 * ```text
 * LeaveGroupRequest (0-5, flexible 4+) => groupId memberId [members]
 *   groupId => STRING
 *   memberId (0-2) => STRING
 *   members (3+) => memberId groupInstanceId reason
 *     memberId => STRING
 *     groupInstanceId (nullable) => STRING
 *     reason (5+, nullable) => STRING
 * LeaveGroupResponse (0-5, flexible 4+) => throttleTimeMs errorCode [members]
 *   throttleTimeMs (1+) => INT32
 *   errorCode => INT16
 *   members (3+) => memberId groupInstanceId errorCode
 *     memberId => STRING
 *     groupInstanceId (nullable) => STRING
 *     errorCode => INT16
 * ```
 */
export const leaveGroupApi = defineApi({
  key: 13,
  name: "LeaveGroup",
  versions: "0-5",
  flexibleVersions: "4+",
  request: {
    groupId: string(),
    memberId: string({ versions: "0-2" }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ nullable: "0+", default: null }),
      reason: string({ versions: "5+", nullable: "0+", default: null, ignorable: true }),
    }, { versions: "3+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    errorCode: int16(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ nullable: "0+" }),
      errorCode: int16(),
    }, { versions: "3+" }),
  },
});

/** A request of {@linkcode leaveGroupApi}. */
export type LeaveGroupRequest = RequestOf<typeof leaveGroupApi>;
/** A response of {@linkcode leaveGroupApi}. */
export type LeaveGroupResponse = ResponseOf<typeof leaveGroupApi>;
