import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  HttpResponse,
  type HttpServer,
  serve,
  type ServeHandler,
  type ServeHandlerInfo,
} from "../../../src/io/http/mod.ts";
import { httpTest } from "../../support/http_harness.ts";

/** `true` when a value of type A may be given where B is wanted. */
type Assignable<A, B> = [A] extends [B] ? true : false;

// The compiler checks these; running them shows nothing.
const server: Assignable<HttpServer, Deno.HttpServer> = true;
const serverOfUnix: Assignable<HttpServer<Deno.UnixAddr>, Deno.HttpServer<Deno.UnixAddr>> = true;
const plainHandler: Assignable<(request: Request) => Response, ServeHandler> = true;
const asyncHandler: Assignable<(request: Request) => Promise<Response>, ServeHandler> = true;
const eitherHandler: Assignable<(request: Request) => Response | Promise<Response>, ServeHandler> = true;
const noParameters: Assignable<() => HttpResponse, ServeHandler> = true;
const denoHandlerOfTcp: Assignable<Deno.ServeHandler<Deno.NetAddr>, ServeHandler<Deno.NetAddr>> = true;
const denoHandlerOfUnix: Assignable<Deno.ServeHandler<Deno.UnixAddr>, ServeHandler<Deno.UnixAddr>> = true;
const info: Assignable<ServeHandlerInfo<Deno.NetAddr>, Deno.ServeHandlerInfo<Deno.NetAddr>> = true;
const response: Assignable<HttpResponse, Response> = true;
const request: Assignable<Parameters<ServeHandler>[0], Request> = true;
const notAnything: Assignable<(request: Request) => string, ServeHandler> = false;

Deno.test("HttpServer, ServeHandler, ServeHandlerInfo and HttpResponse are assignable to Deno's types", () => {
  const all = [
    server,
    serverOfUnix,
    plainHandler,
    asyncHandler,
    eitherHandler,
    noParameters,
    denoHandlerOfTcp,
    denoHandlerOfUnix,
  ];
  assertEquals([...all, info, response, request].every(Boolean), true);
  assertStrictEquals(notAnything, false);
});

httpTest("HttpServer can be used as a Deno.HttpServer", async (http) => {
  const denoHandler: Deno.ServeHandler<Deno.NetAddr> = (request, info) => {
    return new Response(`${request.method} ${info.remoteAddr.hostname}`);
  };
  const options = { hostname: "127.0.0.1", port: 0, reactor: http.reactor };
  const server: Deno.HttpServer<Deno.NetAddr> = serve(options, denoHandler);
  const { addr } = server;
  assertEquals([addr.transport, addr.hostname, typeof addr.port], ["tcp", "127.0.0.1", "number"]);
  server.unref();
  server.ref();
  const client = await http.connect(server as HttpServer);
  await client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  assertStrictEquals((await client.response()).body, "GET 127.0.0.1");
  await server.shutdown();
  await server.finished;
});
