import {
  apis,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  controlRecordKey,
  endTxnMarker,
  groupMetadataKey,
  groupMetadataValue,
  type Message,
  offsetCommitKey,
  offsetCommitValue,
  transactionLogKey,
  transactionLogValue,
} from "../../src/kafka/protocol/mod.ts";
import { requestHeader, responseHeader } from "../../src/kafka/protocol/headers.ts";

/** A message as Apache Kafka wrote and read it; see `tests/kafka/fixtures/tools/`. */
export interface MessageFixture {
  readonly message: string;
  readonly version: number;
  readonly filling: "defaults" | "highest" | "lowest" | "long" | "unknown_tags";
  /** In hexadecimal. */
  readonly bytes: string;
  /** int64 as `"1n"`, bytes as `"0x00"`. */
  readonly value: unknown;
}

const folder = new URL("../kafka/fixtures/", import.meta.url);

/** Every message that there is a definition of, by its name. */
export const messagesByName: ReadonlyMap<string, Message> = new Map(
  [
    ...apis.flatMap((api) => [api.request, api.response]),
    requestHeader,
    responseHeader,
    consumerProtocolSubscription,
    consumerProtocolAssignment,
    controlRecordKey,
    endTxnMarker,
    offsetCommitKey,
    offsetCommitValue,
    groupMetadataKey,
    groupMetadataValue,
    transactionLogKey,
    transactionLogValue,
  ].map((message) => [message.name, message]),
);

/** The message of that name. */
export function messageOf(name: string): Message {
  const message = messagesByName.get(name);
  if (message === undefined) throw new Error(`no definition of ${name}`);
  return message;
}

/** The lines of a compressed fixture, each a value of JSON. */
export async function readFixtureLines<T>(name: string): Promise<T[]> {
  const file = await Deno.open(new URL(name, folder));
  const text = await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).text();
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** A fixture that is one value of JSON. */
export function readFixture<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
}

/** A message that was read, in the form that fixtures have. */
export function comparable(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `0x${value.toHex()}`;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, comparable(part)]));
}
