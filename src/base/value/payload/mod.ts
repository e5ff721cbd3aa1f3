/**
 * What queues and states take: bytes, text, JSON and MessagePack. A door of its own, because MessagePack is a package that workers need not load.
 *
 * @module
 */
export { messagePackPayload, unpackMessagePack } from "./message_pack.ts";
export { bytesOf, jsonPayload, type Payload, requirePayloads } from "./payload.ts";
