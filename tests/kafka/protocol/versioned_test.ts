import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { ByteReader, ByteWriter } from "../../../src/base/bytes/mod.ts";
import {
  consumerProtocolSubscription,
  CONTROL_RECORD_TYPE,
  controlRecordKey,
  endTxnMarker,
  groupMetadataKey,
  offsetCommitKey,
  readVersioned,
  readVersionedOrNewer,
  UnsupportedVersionError,
  writeVersioned,
} from "../../../src/kafka/protocol/mod.ts";

Deno.test("writeVersioned() puts the version first, readVersioned() reads by it", () => {
  const writer = new ByteWriter();
  const key = { group: "g", topic: "t", partition: 3 };
  writeVersioned(writer, offsetCommitKey, key, 1);
  assertStrictEquals(writer.written().toHex(), "0001" + "000167" + "000174" + "00000003");
  assertEquals(readVersioned(new ByteReader(writer.written()), offsetCommitKey), key);
});

Deno.test("readVersioned() tells keys of an internal topic by their version", () => {
  const writer = new ByteWriter();
  writeVersioned(writer, groupMetadataKey, { group: "g" }, 2);
  assertThrowsMatching(() => readVersioned(new ByteReader(writer.written()), offsetCommitKey), (error) => {
    assert(error instanceof UnsupportedVersionError);
    assertStrictEquals(error.version, 2);
    return true;
  });
});

Deno.test("readVersionedOrNewer() reads what a newer consumer says by what it knows of it", () => {
  const writer = new ByteWriter();
  writer.writeInt16(9);
  consumerProtocolSubscription.write(writer, { topics: ["t"], rackId: "r" }, 3);
  writer.writeInt32(12345);
  const subscription = readVersionedOrNewer(new ByteReader(writer.written()), consumerProtocolSubscription);
  assertEquals(subscription, {
    topics: ["t"],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: "r",
  });
});

Deno.test("A control record that commits has the bytes that Kafka documents", () => {
  const writer = new ByteWriter();
  writeVersioned(writer, controlRecordKey, { type: CONTROL_RECORD_TYPE.commit }, 0);
  assertStrictEquals(writer.written().toHex(), "00000001");
  writer.clear();
  writeVersioned(writer, endTxnMarker, { coordinatorEpoch: 5 }, 0);
  assertStrictEquals(writer.written().toHex(), "000000000005");
});
