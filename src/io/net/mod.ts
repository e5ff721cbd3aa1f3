/**
 * TCP, Unix and UDP sockets with the shapes of Deno's, on a reactor.
 *
 * @module
 */
export {
  connect,
  type ConnectOptions,
  type ConnectUnixOptions,
  listen,
  listenDatagram,
  type ListenDatagramOptions,
  type ListenOptions,
  type ListenUnixOptions,
  type ReactorOption,
  type TcpListener,
  type UnixListener,
} from "./open.ts";
export { formatAddress, type HostAndPort } from "../../base/mod.ts";
export { parseAddress } from "./address.ts";
export { ACCEPT_QUEUE_MAX, Listener } from "./listener.ts";
export { RECEIVE_QUEUE_BYTES, StreamConn } from "./stream_conn.ts";
export { TcpConn, UnixConn } from "./tcp.ts";
export { DATAGRAM_QUEUE_MAX, DatagramConn } from "./datagram_conn.ts";
export type { Abortable, WaitOptions } from "../../base/mod.ts";
