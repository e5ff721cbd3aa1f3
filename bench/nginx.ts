import { isOnPath, rootDirectory } from "./command.ts";
import type { Availability } from "./peers.ts";

const prefix = "bench/peers/build/nginx";

/** Finds nginx and writes the configuration that makes it answer as the other contestants do. */
export function findNginx(): Promise<Availability> {
  if (!isOnPath("nginx")) {
    return Promise.resolve({ state: "unavailable", reason: "nginx is not on the search path" });
  }
  const port = freePort();
  Deno.mkdirSync(`${rootDirectory}${prefix}/logs`, { recursive: true });
  Deno.writeTextFileSync(`${rootDirectory}${prefix}/nginx.conf`, configuration(port));
  // nginx prints no address, so the shell does before it becomes nginx; the probe waits until it listens.
  const script =
    `echo "listening on http://127.0.0.1:${port}"; exec nginx -p "$PWD/${prefix}" -c "$PWD/${prefix}/nginx.conf"`;
  return Promise.resolve({ state: "ready", command: { executable: "sh", args: ["-c", script] } });
}

/** nginx cannot choose a port by itself; another program could take this one meanwhile, and nginx would then say so. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Its own are where only root may write. Nothing is ever written to them here, yet nginx makes them. */
const temporaryPaths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((name) => `  ${name}_temp_path ${name};`)
  .join("\n");

function configuration(port: number): string {
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid nginx.pid;
error_log stderr;
events { worker_connections 16384; }
http {
  access_log off;
${temporaryPaths}
  default_type text/plain;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 "Hello world!"; }
  }
}
`;
}
