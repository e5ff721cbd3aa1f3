import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Describes what is known of users for SCRAM, never their secrets.
 *
 * `users` null or empty means all.
 *
 * ```text
 * DescribeUserScramCredentialsRequest (0, flexible 0+) => [users]
 *   users (nullable) => name
 *     name => STRING
 * DescribeUserScramCredentialsResponse (0, flexible 0+) => throttleTimeMs errorCode errorMessage [results]
 *   throttleTimeMs => INT32
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   results => user errorCode errorMessage [credentialInfos]
 *     user => STRING
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 *     credentialInfos => mechanism iterations
 *       mechanism => INT8
 *       iterations => INT32
 * ```
 */
export const describeUserScramCredentialsApi = defineApi({
  key: 50,
  name: "DescribeUserScramCredentials",
  versions: "0",
  flexibleVersions: "0+",
  request: {
    users: array({
      name: string(),
    }, { nullable: "0+" }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: "0+" }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
      credentialInfos: array({
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
});

/** A request of {@linkcode describeUserScramCredentialsApi}. */
export type DescribeUserScramCredentialsRequest = RequestOf<typeof describeUserScramCredentialsApi>;
/** A response of {@linkcode describeUserScramCredentialsApi}. */
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof describeUserScramCredentialsApi>;
