import { defineApi, type RequestOf, type ResponseOf } from "./definition/api.ts";
import { array, bool, int16, int32, int64, string } from "./definition/fields.ts";

/**
 * Describes the directories of logs.
 *
 * `topics` null means all.
 *
 * - version 4: sizes of the volume, -1 when unknown
 *
 * ```text
 * DescribeLogDirsRequest (1-4, flexible 2+) => [topics]
 *   topics (nullable) => topic [partitions]
 *     topic => STRING
 *     partitions => INT32
 * DescribeLogDirsResponse (1-4, flexible 2+) => throttleTimeMs errorCode [results]
 *   throttleTimeMs => INT32
 *   errorCode (3+) => INT16
 *   results => errorCode logDir [topics] totalBytes usableBytes
 *     errorCode => INT16
 *     logDir => STRING
 *     topics => name [partitions]
 *       name => STRING
 *       partitions => partitionIndex partitionSize offsetLag isFutureKey
 *         partitionIndex => INT32
 *         partitionSize => INT64
 *         offsetLag => INT64
 *         isFutureKey => BOOL
 *     totalBytes (4+) => INT64
 *     usableBytes (4+) => INT64
 * ```
 */
export const describeLogDirsApi = defineApi({
  key: 35,
  name: "DescribeLogDirs",
  versions: "1-4",
  flexibleVersions: "2+",
  request: {
    topics: array({
      topic: string(),
      partitions: array(int32()),
    }, { nullable: "0+" }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: "3+", ignorable: true }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ versions: "4+", default: -1n, ignorable: true }),
      usableBytes: int64({ versions: "4+", default: -1n, ignorable: true }),
    }),
  },
});

/** A request of {@linkcode describeLogDirsApi}. */
export type DescribeLogDirsRequest = RequestOf<typeof describeLogDirsApi>;
/** A response of {@linkcode describeLogDirsApi}. */
export type DescribeLogDirsResponse = ResponseOf<typeof describeLogDirsApi>;
