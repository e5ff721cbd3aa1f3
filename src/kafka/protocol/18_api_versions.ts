import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Tells which APIs a broker has, in which versions.
 *
 * The header of the response is version 0 always, since a client asks before it knows anything. A version
 * that the broker does not have is answered with error 35 and the list, in version 0.
 *
 * - version 4: `supportedFeatures` may begin at 0
 *
 * ```text
 * ApiVersionsRequest (0-4, flexible 3+) => clientSoftwareName clientSoftwareVersion
 *   clientSoftwareName (3+) => STRING
 *   clientSoftwareVersion (3+) => STRING
 * ApiVersionsResponse (0-4, flexible 3+) => errorCode [apiKeys] throttleTimeMs <0: [supportedFeatures]>
 *       <1: finalizedFeaturesEpoch> <2: [finalizedFeatures]> <3: zkMigrationReady>
 *   errorCode => INT16
 *   apiKeys => apiKey minVersion maxVersion
 *     apiKey => INT16
 *     minVersion => INT16
 *     maxVersion => INT16
 *   throttleTimeMs (1+) => INT32
 *   supportedFeatures (3+) => name minVersion maxVersion
 *     name => STRING
 *     minVersion => INT16
 *     maxVersion => INT16
 *   finalizedFeaturesEpoch (3+) => INT64
 *   finalizedFeatures (3+) => name maxVersionLevel minVersionLevel
 *     name => STRING
 *     maxVersionLevel => INT16
 *     minVersionLevel => INT16
 *   zkMigrationReady (3+) => BOOL
 * ```
 */
export const apiVersionsApi = defineApi({
  key: 18,
  name: "ApiVersions",
  versions: "0-4",
  flexibleVersions: "3+",
  request: {
    clientSoftwareName: string({ versions: "3+", ignorable: true }),
    clientSoftwareVersion: string({ versions: "3+", ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32({ versions: "1+", ignorable: true }),
    supportedFeatures: array({
      name: string(),
      minVersion: int16(),
      maxVersion: int16(),
    }, { versions: "3+", tag: 0, ignorable: true }),
    finalizedFeaturesEpoch: int64({ versions: "3+", tag: 1, default: -1n, ignorable: true }),
    finalizedFeatures: array({
      name: string(),
      maxVersionLevel: int16(),
      minVersionLevel: int16(),
    }, { versions: "3+", tag: 2, ignorable: true }),
    zkMigrationReady: bool({ versions: "3+", tag: 3, default: false, ignorable: true }),
  },
});

/** A request of {@linkcode apiVersionsApi}. */
export type ApiVersionsRequest = RequestOf<typeof apiVersionsApi>;
/** A response of {@linkcode apiVersionsApi}. */
export type ApiVersionsResponse = ResponseOf<typeof apiVersionsApi>;
