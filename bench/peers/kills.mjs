// deno-lint-ignore-file explicit-module-boundary-types -- JavaScript, which Node runs as well, has no types
/**
 * How the death of the only server is measured, whoever looks after it: from SIGKILL until that is told, and until the next request is answered.
 */
import { connect } from "node:net";
import process from "node:process";

/** Between a server's first answer and its end. */
const PAUSE_MS = 100;
/** Between two requests, of which the first that is answered counts. */
const ASK_MS = 5;
const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

/**
 * Kills the server at `port` so often, and resolves to the figures.
 *
 * @param pid gives the process that serves now
 * @param nextEnd resolves when an end is told that comes after it was called
 */
export async function measureKills(count, port, pid, nextEnd) {
  const [noticed, served] = [new Float64Array(count), new Float64Array(count)];
  await untilServed(port);
  for (let index = 0; index < count; index++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const end = nextEnd();
    const startMs = performance.now();
    process.kill(pid(), "SIGKILL");
    await Promise.all([
      end.then(() => noticed[index] = performance.now() - startMs),
      untilServed(port).then(() => served[index] = performance.now() - startMs),
    ]);
  }
  const [noticedP50Ms, noticedP99Ms] = percentiles(noticed);
  const [servedP50Ms, servedP99Ms] = percentiles(served);
  return { noticedP50Ms, noticedP99Ms, servedP50Ms, servedP99Ms };
}

/** Asks again and again until there is an answer: what was sent to a process that dies may never have one, nor an end. */
function untilServed(port) {
  return new Promise((resolve) => {
    const sockets = new Set();
    const ask = () => {
      let answer = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(REQUEST));
      sockets.add(socket);
      socket.setEncoding("latin1");
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (text) => {
        answer += text;
        if (!(answer.startsWith("HTTP/1.1 200") && answer.endsWith("Hello world!"))) return;
        clearInterval(timer);
        for (const other of sockets) other.destroy();
        resolve();
      });
    };
    const timer = setInterval(ask, ASK_MS);
    ask();
  });
}

function percentiles(times) {
  times.sort();
  return [times[times.length >> 1], times[Math.floor(times.length * 0.99)]];
}
