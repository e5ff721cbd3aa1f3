import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Creates access rules.
 *
 * ```text
 * CreateAclsRequest (1-3, flexible 2+) => [creations]
 *   creations => resourceType resourceName resourcePatternType principal host operation permissionType
 *     resourceType => INT8
 *     resourceName => STRING
 *     resourcePatternType => INT8
 *     principal => STRING
 *     host => STRING
 *     operation => INT8
 *     permissionType => INT8
 * CreateAclsResponse (1-3, flexible 2+) => throttleTimeMs [results]
 *   throttleTimeMs => INT32
 *   results => errorCode errorMessage
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 * ```
 */
export const createAclsApi = defineApi({
  key: 30,
  name: "CreateAcls",
  versions: "1-3",
  flexibleVersions: "2+",
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
    }),
  },
});

/** A request of {@linkcode createAclsApi}. */
export type CreateAclsRequest = RequestOf<typeof createAclsApi>;
/** A response of {@linkcode createAclsApi}. */
export type CreateAclsResponse = ResponseOf<typeof createAclsApi>;
