import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { bytes, int16, int64, string } from "./definition/fields.ts";

/**
 * Carries one step of an exchange of SASL.
 *
 * - version 1: how long the session lasts
 *
 * ```text
 * SaslAuthenticateRequest (0-2, flexible 2+) => authBytes
 *   authBytes => BYTES
 * SaslAuthenticateResponse (0-2, flexible 2+) => errorCode errorMessage authBytes sessionLifetimeMs
 *   errorCode => INT16
 *   errorMessage (nullable) => STRING
 *   authBytes => BYTES
 *   sessionLifetimeMs (1+) => INT64
 * ```
 */
export const saslAuthenticateApi = defineApi({
  key: 36,
  name: "SaslAuthenticate",
  versions: "0-2",
  flexibleVersions: "2+",
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: "0+" }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ versions: "1+", default: 0n, ignorable: true }),
  },
});

/** A request of {@linkcode saslAuthenticateApi}. */
export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticateApi>;
/** A response of {@linkcode saslAuthenticateApi}. */
export type SaslAuthenticateResponse = ResponseOf<typeof saslAuthenticateApi>;
