import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, bytes, int16, int32, string } from "./definition/fields.ts";

/**
 * Describes groups and their members.
 *
 * ```text
 * DescribeGroupsRequest (0-5, flexible 5+) => [groups] includeAuthorizedOperations
 *   groups => STRING
 *   includeAuthorizedOperations (3+) => BOOL
 * DescribeGroupsResponse (0-5, flexible 5+) => throttleTimeMs [groups]
 *   throttleTimeMs (1+) => INT32
 *   groups => errorCode groupId groupState protocolType protocolData [members] authorizedOperations
 *     errorCode => INT16
 *     groupId => STRING
 *     groupState => STRING
 *     protocolType => STRING
 *     protocolData => STRING
 *     members => memberId groupInstanceId clientId clientHost memberMetadata memberAssignment
 *       memberId => STRING
 *       groupInstanceId (4+, nullable) => STRING
 *       clientId => STRING
 *       clientHost => STRING
 *       memberMetadata => BYTES
 *       memberAssignment => BYTES
 *     authorizedOperations (3+) => INT32
 * ```
 */
export const describeGroupsApi = defineApi({
  key: 15,
  name: "DescribeGroups",
  versions: "0-5",
  flexibleVersions: "5+",
  request: {
    groups: array(string()),
    includeAuthorizedOperations: bool({ versions: "3+" }),
  },
  response: {
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    groups: array({
      errorCode: int16(),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ versions: "4+", nullable: "0+", default: null, ignorable: true }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ versions: "3+", default: -2147483648 }),
    }),
  },
});

/** A request of {@linkcode describeGroupsApi}. */
export type DescribeGroupsRequest = RequestOf<typeof describeGroupsApi>;
/** A response of {@linkcode describeGroupsApi}. */
export type DescribeGroupsResponse = ResponseOf<typeof describeGroupsApi>;
