import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Deletes access rules that match filters.
 *
 * ```text
 * DeleteAclsRequest (1-3, flexible 2+) => [filters]
 *   filters => resourceTypeFilter resourceNameFilter patternTypeFilter principalFilter hostFilter operation
 *         permissionType
 *     resourceTypeFilter => INT8
 *     resourceNameFilter (nullable) => STRING
 *     patternTypeFilter => INT8
 *     principalFilter (nullable) => STRING
 *     hostFilter (nullable) => STRING
 *     operation => INT8
 *     permissionType => INT8
 * DeleteAclsResponse (1-3, flexible 2+) => throttleTimeMs [filterResults]
 *   throttleTimeMs => INT32
 *   filterResults => errorCode errorMessage [matchingAcls]
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     matchingAcls => errorCode errorMessage resourceType resourceName patternType principal host operation
 *           permissionType
 *       errorCode => INT16
 *       errorMessage (nullable) => STRING
 *       resourceType => INT8
 *       resourceName => STRING
 *       patternType => INT8
 *       principal => STRING
 *       host => STRING
 *       operation => INT8
 *       permissionType => INT8
 * ```
 */
export const deleteAclsApi = defineApi({
  key: 31,
  name: "DeleteAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string({ nullable: "0+" }),
      patternTypeFilter: int8({ default: 3 }),
      principalFilter: string({ nullable: "0+" }),
      hostFilter: string({ nullable: "0+" }),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string({ nullable: "0+" }),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
});

/** A request of {@linkcode deleteAclsApi}. */
export type DeleteAclsRequest = RequestOf<typeof deleteAclsApi>;
/** A response of {@linkcode deleteAclsApi}. */
export type DeleteAclsResponse = ResponseOf<typeof deleteAclsApi>;
