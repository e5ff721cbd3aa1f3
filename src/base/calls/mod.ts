/**
 * Calls and messages between two sides that share a transport, and nothing else: frames, parts of long ones, answers, errors, cancelling, and
 * limits of what waits. The transport is a ring between cores, a ring between processes, or a socket.
 *
 * @module
 */
export {
  type AnswerListener,
  CallConnection,
  type Cancellable,
  type ConnectionOwner,
} from "./call_connection.ts";
export { FRAME, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "./frame.ts";
export { FrameSender, type RequireRoom, SHORT_FRAME_BYTES_MAX } from "./frame_sender.ts";
export type { MessageWriter, Transport } from "./transport.ts";
