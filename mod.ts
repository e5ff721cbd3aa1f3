/**
 * Millrace: an io_uring event loop, timers, sockets and an HTTP server for Deno, rings in shared memory, a runtime with a worker per
 * core, and a queue between processes that survives their death.
 *
 * Runs on io_uring where the kernel allows it and on Deno's own I/O where it does not. Each subsystem has an entry point of
 * its own; this one gathers the names most programs need.
 *
 * ```ts
 * import { HttpResponse, serve } from "@millrace/millrace";
 *
 * const server = serve({ port: 0, hostname: "127.0.0.1" }, () => new HttpResponse("Hello world!"));
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * console.log(await response.text());
 * await server.shutdown();
 * ```
 *
 * @module
 */
export {
  type HttpLimits,
  HttpResponse,
  HttpServer,
  serve,
  type ServeHandler,
  type ServeHandlerInfo,
  type ServeOptions,
  type ServerRequest,
} from "./src/io/http/mod.ts";
export {
  connect,
  listen,
  listenDatagram,
  parseAddress,
  type TcpConn,
  type TcpListener,
} from "./src/io/net/mod.ts";
export {
  defaultReactor,
  type DriverChoice,
  type IdleStrategy,
  Reactor,
  type ReactorOptions,
  waitForSignal,
} from "./src/io/reactor/mod.ts";
export { type Core, currentCore, Sharded, startCores } from "./src/run/cores/mod.ts";
export { SpscRing } from "./src/ipc/ring/mod.ts";
export { SharedMemory } from "./src/ipc/memory/mod.ts";
export { type Delivery, type Message, SharedMailbox, SharedQueue } from "./src/ipc/queue/mod.ts";
export {
  MemoryPool,
  type PermitGuard,
  type PoolBlock,
  SharedLock,
  SharedSemaphore,
  SharedState,
  type StateChange,
  type StateEntry,
} from "./src/ipc/state/mod.ts";
export { Interval, sleep, spawnPeriodic, withTimeout } from "./src/base/timer/mod.ts";
