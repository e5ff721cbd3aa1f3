import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Describes access rules that match a filter.
 *
 * ```text
 * DescribeAclsRequest (1-3, flexible 2+) => resourceTypeFilter resourceNameFilter patternTypeFilter
 *       principalFilter hostFilter operation permissionType
 *   resourceTypeFilter => INT8
 *   resourceNameFilter (nullable) => STRING
 *   patternTypeFilter => INT8
 *   principalFilter (nullable) => STRING
 *   hostFilter (nullable) => STRING
 *   operation => INT8
 *   permissionType => INT8
 * DescribeAclsResponse (1-3, flexible 2+) => throttleTimeMs errorCode errorMessage [resources]
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   resources => resourceType resourceName patternType [acls]
 *     resourceType => INT8
 *     resourceName => STRING
 *     patternType => INT8
 *     acls => principal host operation permissionType
 *       principal => STRING
 *       host => STRING
 *       operation => INT8
 *       permissionType => INT8
 * ```
 */
export const describeAclsApi = defineApi({
  key: 29,
  name: "DescribeAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: {
    resourceTypeFilter: int8(),
    resourceNameFilter: string({ nullable: "0+" }),
    patternTypeFilter: int8({ default: 3 }),
    principalFilter: string({ nullable: "0+" }),
    hostFilter: string({ nullable: "0+" }),
    operation: int8(),
    permissionType: int8(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+" }),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ default: 3 }),
      acls: array({
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
});

/** A request of {@linkcode describeAclsApi}. */
export type DescribeAclsRequest = RequestOf<typeof describeAclsApi>;
/** A response of {@linkcode describeAclsApi}. */
export type DescribeAclsResponse = ResponseOf<typeof describeAclsApi>;
