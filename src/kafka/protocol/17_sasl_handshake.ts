import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, int16, string } from "./definition/fields.ts";

/**
 * Chooses a mechanism of SASL.
 *
 * - version 0: the exchange follows without Kafka's framing; 1: by SaslAuthenticate
 *
 * ```text
 * SaslHandshakeRequest (0-1) => mechanism
 *   mechanism => STRING
 * SaslHandshakeResponse (0-1) => errorCode [mechanisms]
 *   errorCode => INT16
 *   mechanisms => STRING
 * ```
 */
export const saslHandshakeApi = defineApi({
  key: 17,
  name: "SaslHandshake",
  versions: "0-1",
  flexibleVersions: "none",
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
});

/** A request of {@linkcode saslHandshakeApi}. */
export type SaslHandshakeRequest = RequestOf<typeof saslHandshakeApi>;
/** A response of {@linkcode saslHandshakeApi}. */
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshakeApi>;
