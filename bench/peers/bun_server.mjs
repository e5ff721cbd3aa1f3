/**
 * Bun's own servers: `bun_server.mjs http` is `Bun.serve`, `bun_server.mjs echo` is `Bun.listen`. Both listen on 127.0.0.1, port
 * chosen by the kernel, and print the address.
 */
const { Bun, process } = globalThis;

function serveHttp() {
  const headers = { "content-type": "text/plain" };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    // Idle connections are measured too: by default they would be ended after ten seconds.
    idleTimeout: 0,
    fetch: () => new Response("Hello world!", { headers }),
  });
  return `http://127.0.0.1:${server.port}`;
}

/** What the socket did not take is kept in `socket.data` until it drains. */
function write(socket, bytes) {
  const taken = Math.max(0, socket.write(bytes));
  socket.data = taken < bytes.length ? bytes.slice(taken) : undefined;
}

function serveEcho() {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => socket.setNoDelay(true),
      data(socket, bytes) {
        if (socket.data === undefined) write(socket, bytes);
        else socket.data = new Uint8Array([...socket.data, ...bytes]);
      },
      drain: (socket) => socket.data === undefined || write(socket, socket.data),
      end: (socket) => socket.end(),
      error: (socket) => socket.end(),
    },
  });
  return `127.0.0.1:${server.port}`;
}

switch (process.argv[2]) {
  case "http":
    process.stdout.write(`listening on ${serveHttp()}\n`);
    break;
  case "echo":
    process.stdout.write(`listening on ${serveEcho()}\n`);
    break;
  default:
    process.stderr.write("usage: bun_server.mjs http|echo\n");
    process.exitCode = 2;
}
