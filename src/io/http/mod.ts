/**
 * An HTTP/1.1 server over `Request` and `Response`.
 *
 * ```ts
 * import { HttpResponse, serve } from "@millrace/millrace/http";
 *
 * const server = serve({ port: 0 }, () => new HttpResponse("Hello world!"));
 * await server.shutdown();
 * ```
 *
 * @module
 */
export { serve } from "./serve.ts";
export type { ServeOptions, ServeUnixOptions } from "./serve_options.ts";
export { HttpServer, type HttpShutdownOptions } from "./http_server.ts";
export { HttpResponse } from "./http_response.ts";
export type { ServerRequest } from "./http_request.ts";
export { HTTP_LIMITS, type HttpLimits } from "./limits.ts";
export type { HttpServerStatistics, ServeHandler, ServeHandlerInfo } from "./server_context.ts";
