/**
 * Deno's own servers: `deno_server.ts http` is `Deno.serve`, `deno_server.ts echo` is `Deno.listen` with a read and a write
 * per message. Both listen on 127.0.0.1, port chosen by the kernel, and print the address.
 */

const bufferBytes = 4 * 1024;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function serveHttp(): void {
  const headers = { "content-type": "text/plain" };
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => print(`listening on http://127.0.0.1:${port}`),
  }, () => new Response("Hello world!", { headers }));
}

async function echo(connection: Deno.TcpConn): Promise<void> {
  try {
    connection.setNoDelay(true);
    const buffer = new Uint8Array(bufferBytes);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      for (let sent = 0; sent < count;) sent += await connection.write(buffer.subarray(sent, count));
    }
  } catch {
    // A client that resets its connection is its own affair: the generator counts it.
  } finally {
    connection.close();
  }
}

async function serveEcho(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  print(`listening on 127.0.0.1:${listener.addr.port}`);
  for await (const connection of listener) echo(connection);
}

switch (Deno.args[0]) {
  case "http":
    serveHttp();
    break;
  case "echo":
    await serveEcho();
    break;
  default:
    print("usage: deno_server.ts http|echo");
    Deno.exit(2);
}
