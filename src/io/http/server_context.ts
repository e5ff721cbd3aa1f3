import type { BufferPool } from "../reactor/mod.ts";
import type { HeadCopies } from "./head_copies.ts";
import type { ServerRequest } from "./http_request.ts";
import type { HttpLimits } from "./limits.ts";
import type { HeadParser } from "./request_head.ts";
import type { ResponseWriter } from "./response_writer.ts";
import type { StringCache } from "./string_cache.ts";

/** What a handler gets besides the request. */
export interface ServeHandlerInfo<A extends Deno.Addr = Deno.Addr> {
  /** The client's address; read it while the connection is open. */
  readonly remoteAddr: A;
  /** Resolves when the response is with the kernel; rejects when it could not be sent. */
  readonly completed: Promise<void>;
}

/** Responds to requests. */
export type ServeHandler<A extends Deno.Addr = Deno.Addr> = (
  request: ServerRequest,
  info: ServeHandlerInfo<A>,
) => Response | Promise<Response>;

/** Counters of a server. They only grow, except for the number of open connections. */
export interface HttpServerStatistics {
  /** Open now. */
  connectionCount: number;
  /** Accepted so far. */
  acceptedCount: number;
  /** Requests passed to the handler. */
  requestCount: number;
  /** Messages refused before a handler saw them (400, 408, 413 ...). */
  rejectedCount: number;
  /** Connections ended by a deadline. */
  timeoutCount: number;
}

/** What a server needs of its connections. */
export interface ServedConnection {
  /** Ends the connection when a deadline has passed; called periodically. */
  checkDeadlines(nowMs: number): void;
  /** Finishes the requests in progress and closes. */
  drain(): void;
  /** Closes at once. */
  abort(reason: unknown): void;
  /** Whether waiting for the client keeps the process alive. */
  setReferenced(referenced: boolean): void;
}

/** What the connections of one server share. */
export interface ServerContext {
  readonly handler: ServeHandler;
  readonly onError: (error: unknown) => Response | Promise<Response>;
  readonly limits: Required<HttpLimits>;
  readonly parse: HeadParser;
  /** The parser's result for the buffer in progress. */
  readonly words: Int32Array;
  readonly writer: ResponseWriter;
  readonly strings: StringCache;
  readonly heads: HeadCopies;
  readonly buffers: BufferPool;
  readonly statistics: HttpServerStatistics;
  /** For requests without a Host field. */
  readonly authority: string;
  readonly transport: "tcp" | "unix";
  /** Whether the server stops: every response says `connection: close`. */
  readonly draining: boolean;
  /** Whether idle connections of a draining server may send one more request. */
  readonly sparesIdle: boolean;
  /** The reactor's time. */
  nowMs(): number;
  /** The connection is gone. */
  onClosed(connection: ServedConnection): void;
}
