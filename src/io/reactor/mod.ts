/**
 * The event loop of one thread: io_uring where the kernel allows it, Deno's own I/O where it does not, one interface over
 * both.
 *
 * @module
 */
export {
  BLOCK_MS_MAX,
  BUSY_MS_MAX,
  defaultReactor,
  type IdleStrategy,
  Reactor,
  type ReactorOptions,
  type ReactorSource,
  type ReactorStatistics,
  setDefaultReactor,
  SOURCE_SPIN_MS,
} from "./reactor.ts";
export { type DriverChoice, type DriverOptions, openDriver, type OpenedDriver } from "./open_driver.ts";
export type { Abortable } from "../../base/mod.ts";
export type {
  AcceptHandler,
  Address,
  ConnectSocketOptions,
  DatagramHandler,
  DatagramOptions,
  Driver,
  DriverDatagramSocket,
  DriverFile,
  DriverListener,
  DriverName,
  DriverSocket,
  IpAddress,
  ListenSocketOptions,
  OpenFileOptions,
  PolledDriver,
  SocketHandler,
} from "./driver.ts";
export {
  BUFFER_BYTE_LENGTH,
  BUFFER_COUNT_MAX,
  BufferPool,
  type BufferPoolOptions,
  BUFFERS_PER_SLAB,
  PooledBuffer,
  type Slab,
  waitForBuffer,
} from "./buffer_pool.ts";
export {
  type InheritedListener,
  inheritedListener,
  openListener,
  RELAY_VARIABLE,
} from "./inherited_listener.ts";
export { SIGNAL_ECHO_MS, waitForSignal, type WaitForSignalOptions } from "./wait_for_signal.ts";
export { SEND_QUEUE_BUFFERS_MAX, SendQueue } from "./send_queue.ts";
export { abortable } from "./abortable.ts";
export type { OperationState } from "./operation.ts";
export { UringDriver, type UringDriverOptions } from "./uring/uring_driver.ts";
export type { UringRung } from "./uring/uring_probe.ts";
export type { UringStatistics } from "./uring/uring_shared.ts";
export { DenoDriver, type DenoDriverOptions } from "./deno/deno_driver.ts";
export {
  SimulatedDriver,
  type SimulatedDriverOptions,
  type SimulatedFault,
  type SimulatedFaultOptions,
  SimulatedFaults,
  SimulatedFileSystem,
  type SimulatedFileSystemOptions,
  SimulatedNetwork,
  type SimulatedNetworkOptions,
  type SimulatedOperationKind,
} from "./simulated/mod.ts";
