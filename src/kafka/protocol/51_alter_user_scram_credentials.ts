import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bytes, int16, int32, int8, string } from "./definition/fields.ts";

/**
 * Changes what is known of users for SCRAM.
 *
 * ```text
 * AlterUserScramCredentialsRequest (0, flexible 0+) => [deletions] [upsertions]
 *   deletions => name mechanism
 *     name => STRING
 *     mechanism => INT8
 *   upsertions => name mechanism iterations salt saltedPassword
 *     name => STRING
 *     mechanism => INT8
 *     iterations => INT32
 *     salt => BYTES
 *     saltedPassword => BYTES
 * AlterUserScramCredentialsResponse (0, flexible 0+) => throttleTimeMs [results]
 *   throttleTimeMs => INT32
 *   results => user errorCode errorMessage
 *     user => STRING
 *     errorCode => INT16
 *     errorMessage (nullable) => STRING
 * ```
 */
export const alterUserScramCredentialsApi = defineApi({
  key: 51,
  name: "AlterUserScramCredentials",
  versions: "0",
  flexibleVersions: "0+",
  request: {
    deletions: array({
      name: string(),
      mechanism: int8(),
    }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: "0+" }),
    }),
  },
});

/** A request of {@linkcode alterUserScramCredentialsApi}. */
export type AlterUserScramCredentialsRequest = RequestOf<typeof alterUserScramCredentialsApi>;
/** A response of {@linkcode alterUserScramCredentialsApi}. */
export type AlterUserScramCredentialsResponse = ResponseOf<typeof alterUserScramCredentialsApi>;
