import type { ByteReader, ByteWriter } from "../../base/bytes/mod.ts";
import type { Api } from "./definition/api.ts";
import { int16, int32, string } from "./definition/fields.ts";
import { defineMessage, type MessageInput, type MessageValue } from "./definition/message.ts";
import { findApi } from "./apis.ts";

/** The API whose response a client reads before it knows any version: its header is always version 0. */
const API_VERSIONS_KEY = 18;

/**
 * What every request begins with, after its size. The client's name lies as it did before flexible versions,
 * in these too, so that a broker can read it whatever the version is.
 *
 * ```text
 * RequestHeader (1-2, flexible 2+) => requestApiKey requestApiVersion correlationId clientId
 *   requestApiKey => INT16
 *   requestApiVersion => INT16
 *   correlationId => INT32
 *   clientId (nullable) => STRING
 * ```
 */
export const requestHeader = defineMessage({
  name: "RequestHeader",
  versions: "1-2",
  flexibleVersions: "2+",
  fields: {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: string({ nullable: "0+", neverFlexible: true }),
  },
});

/**
 * What every response begins with, after its size.
 *
 * ```text
 * ResponseHeader (0-1, flexible 1+) => correlationId
 *   correlationId => INT32
 * ```
 */
export const responseHeader = defineMessage({
  name: "ResponseHeader",
  versions: "0-1",
  flexibleVersions: "1+",
  fields: {
    correlationId: int32(),
  },
});

/** A header of {@linkcode requestHeader}. */
export type RequestHeader = MessageValue<typeof requestHeader>;

/** The version of the header before a request of `api` in `version`, which may be higher than ours. */
export function requestHeaderVersion(api: Api, version: number): number {
  return api.request.isFlexible(version) ? 2 : 1;
}

/** The version of the header before a response of `api` in `version`. */
export function responseHeaderVersion(api: Api, version: number): number {
  return api.response.isFlexible(version) && api.key !== API_VERSIONS_KEY ? 1 : 0;
}

/**
 * Reads the header of whatever request comes; the reader stands at the request's first byte then. An API that
 * is not known has its header read as version 1, whose fields all versions begin with.
 *
 * @throws {MalformedBytesError} when the bytes are no header
 */
export function readRequestHeader(reader: ByteReader): RequestHeader {
  // Only key and version say which version the header has.
  const start = reader.position;
  const key = reader.readInt16();
  const version = reader.readInt16();
  reader.rewind(start);
  const api = findApi(key);
  return requestHeader.read(reader, api === undefined ? 1 : requestHeaderVersion(api, version));
}

/** Writes the header before a request of `api`; its key is the API's. */
export function writeRequestHeader(
  writer: ByteWriter,
  api: Api,
  header: Omit<MessageInput<typeof requestHeader>, "requestApiKey">,
): void {
  const version = requestHeaderVersion(api, header.requestApiVersion);
  requestHeader.write(writer, { ...header, requestApiKey: api.key }, version);
}

/** Reads the header before a response of `api` in `version`, and gives its correlation id. */
export function readResponseHeader(reader: ByteReader, api: Api, version: number): number {
  return responseHeader.read(reader, responseHeaderVersion(api, version)).correlationId;
}

/** Writes the header before a response of `api` in `version`. */
export function writeResponseHeader(
  writer: ByteWriter,
  api: Api,
  version: number,
  correlationId: number,
): void {
  responseHeader.write(writer, { correlationId }, responseHeaderVersion(api, version));
}
