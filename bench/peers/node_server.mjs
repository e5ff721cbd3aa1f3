/**
 * Node's own servers: `node_server.mjs http` is `node:http`, `node_server.mjs echo` is `node:net`. Both listen on 127.0.0.1,
 * port chosen by the kernel, and print the address.
 */
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import process from "node:process";

function serveHttp() {
  const headers = { "content-type": "text/plain", "content-length": "12" };
  const server = createHttpServer((_request, response) => {
    response.writeHead(200, headers);
    response.end("Hello world!");
  });
  // Idle connections are measured too: by default they would be ended after five seconds, or before a first request.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  return server;
}

function serveEcho() {
  return createTcpServer({ noDelay: true }, (socket) => {
    socket.on("data", (bytes) => socket.write(bytes));
    // A client that resets its connection is its own affair: the generator counts it.
    socket.on("error", () => socket.destroy());
  });
}

function listen(server, scheme) {
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    process.stdout.write(`listening on ${scheme}127.0.0.1:${server.address().port}\n`);
  });
}

switch (process.argv[2]) {
  case "http":
    listen(serveHttp(), "http://");
    break;
  case "echo":
    listen(serveEcho(), "");
    break;
  default:
    process.stderr.write("usage: node_server.mjs http|echo\n");
    process.exitCode = 2;
}
