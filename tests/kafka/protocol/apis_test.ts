import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { apis, findApi } from "../../../src/kafka/protocol/mod.ts";
import { printGrammar, withGrammars } from "../../../scripts/support/kafka_grammar.ts";

/** What the broker is to speak: key, name, lowest and highest version. */
const versionTable: readonly (readonly [key: number, name: string, min: number, max: number])[] = [
  [0, "Produce", 3, 11],
  [1, "Fetch", 4, 16],
  [2, "ListOffsets", 1, 8],
  [3, "Metadata", 0, 12],
  [8, "OffsetCommit", 2, 9],
  [9, "OffsetFetch", 1, 9],
  [10, "FindCoordinator", 0, 6],
  [11, "JoinGroup", 0, 9],
  [12, "Heartbeat", 0, 4],
  [13, "LeaveGroup", 0, 5],
  [14, "SyncGroup", 0, 5],
  [15, "DescribeGroups", 0, 5],
  [16, "ListGroups", 0, 5],
  [17, "SaslHandshake", 0, 1],
  [18, "ApiVersions", 0, 4],
  [19, "CreateTopics", 2, 7],
  [20, "DeleteTopics", 1, 6],
  [21, "DeleteRecords", 0, 2],
  [22, "InitProducerId", 0, 5],
  [23, "OffsetForLeaderEpoch", 2, 4],
  [24, "AddPartitionsToTxn", 0, 3],
  [25, "AddOffsetsToTxn", 0, 4],
  [26, "EndTxn", 0, 4],
  [28, "TxnOffsetCommit", 0, 4],
  [29, "DescribeAcls", 1, 3],
  [30, "CreateAcls", 1, 3],
  [31, "DeleteAcls", 1, 3],
  [32, "DescribeConfigs", 1, 4],
  [33, "AlterConfigs", 0, 2],
  [35, "DescribeLogDirs", 1, 4],
  [36, "SaslAuthenticate", 0, 2],
  [37, "CreatePartitions", 0, 3],
  [42, "DeleteGroups", 0, 2],
  [44, "IncrementalAlterConfigs", 0, 1],
  [47, "OffsetDelete", 0, 0],
  [48, "DescribeClientQuotas", 0, 1],
  [49, "AlterClientQuotas", 0, 1],
  [50, "DescribeUserScramCredentials", 0, 0],
  [51, "AlterUserScramCredentials", 0, 0],
  [60, "DescribeCluster", 0, 1],
  [61, "DescribeProducers", 0, 0],
  [65, "DescribeTransactions", 0, 0],
  [66, "ListTransactions", 0, 1],
  [68, "ConsumerGroupHeartbeat", 0, 1],
  [69, "ConsumerGroupDescribe", 0, 0],
];

const folder = new URL("../../../src/kafka/protocol/", import.meta.url);

Deno.test("apis are those of the table, in their order, with their versions", () => {
  assertEquals<unknown>(
    apis.map(({ key, name, versions }) => [key, name, versions.min, versions.max]),
    versionTable,
  );
});

Deno.test("apis are advertised as they are handled, but for Produce, as Kafka 4 does", () => {
  for (const api of apis) {
    const expected = api.name === "Produce" ? { min: 0, max: 11 } : api.versions;
    assertEquals(api.advertisedVersions, expected, api.name);
  }
});

Deno.test("apis have a file each, named by key and name", () => {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^\d/.test(name))
    .sort();
  const expected = apis.map(({ key, name }) => {
    const snake = name.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
    return `${String(key).padStart(2, "0")}_${snake}.ts`;
  });
  assertEquals(files, expected);
});

Deno.test("findApi() gives the API of a key", () => {
  assertStrictEquals(findApi(18)?.name, "ApiVersions");
  assertStrictEquals(findApi(4), undefined);
  assertStrictEquals(findApi(-1), undefined);
});

Deno.test("The comment before each definition has its grammar; `deno task grammars` writes it", async () => {
  let commentCount = 0;
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.isFile) continue;
    const url = new URL(entry.name, folder);
    const source = await Deno.readTextFile(url);
    const definitionCount = source.match(/= define(Api|Message)\(/g)?.length ?? 0;
    const found = source.match(/^ \* ```text$/gm)?.length ?? 0;
    assertStrictEquals(found, definitionCount, entry.name);
    commentCount += found;
    assertStrictEquals(withGrammars(source, await import(url.href)), source, entry.name);
  }
  assert(commentCount > apis.length);
});

Deno.test("printGrammar() says which versions have a field, and which of them null", () => {
  const leaveGroup = findApi(13);
  assert(leaveGroup);
  assertEquals(printGrammar(leaveGroup.request), [
    "LeaveGroupRequest (0-5, flexible 4+) => groupId memberId [members]",
    "  groupId => STRING",
    "  memberId (0-2) => STRING",
    "  members (3+) => memberId groupInstanceId reason",
    "    memberId => STRING",
    "    groupInstanceId (nullable) => STRING",
    "    reason (5+, nullable) => STRING",
  ]);
});
