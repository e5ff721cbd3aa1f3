import { ChildProcess } from "./child_process.ts";
import type { Command } from "./command.ts";

/** A contestant that serves, with what it said when it was ready. */
export interface RunningServer extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly port: number;
  /** What it printed when it was ready, on one line. */
  readonly banner: string;
  /** Bytes of one answer: not all contestants send the same headers. */
  readonly answerBytes: number;
}

const startTimeoutMs = 60_000;
const probeTimeoutMs = 5000;
const probeIntervalMs = 20;
const expectedBody = "Hello world!";
const addressPattern = /^.*?(?:\d{1,3}\.){3}\d{1,3}:([1-9]\d*).*$/m;

/**
 * Starts a server, waits for the first `host:port` that it prints, and sees that it answers as all contestants must.
 *
 * @throws {Error} when it ends, stays silent, or answers otherwise
 */
export async function startServer(command: Command, protocol: "http" | "echo"): Promise<RunningServer> {
  const process = ChildProcess.start(command);
  try {
    const ready = await process.nextMatch(addressPattern, startTimeoutMs);
    const port = Number(ready[1]);
    const answerBytes = await probe(process, port, protocol);
    const banner = `${ready.input.slice(0, ready.index)}${ready[0]}${process.output}`.trim().replaceAll(
      /\s*\n\s*/g,
      "; ",
    );
    return { process, port, banner, answerBytes, [Symbol.asyncDispose]: () => process.stop() };
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/** What a server says as it ends tells more than the connection it did not take. */
async function probe(process: ChildProcess, port: number, protocol: "http" | "echo"): Promise<number> {
  try {
    return protocol === "http" ? await probeHttp(port) : await probeEcho(port);
  } catch (error) {
    if (process.hasEnded) throw new Error(await process.describeEnd(), { cause: error });
    throw error;
  }
}

async function probeHttp(port: number): Promise<number> {
  const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const answer = await exchange(port, request, (text) => text.endsWith(expectedBody));
  if (!answer.startsWith("HTTP/1.1 200 ")) {
    throw new Error(`GET /: answered ${answer.split("\r\n")[0]}, expected 200`);
  }
  if (!/\r\ncontent-length: *12\r\n/i.test(answer)) {
    throw new Error("GET /: answered without Content-Length: 12");
  }
  if (!/\r\ncontent-type: *text\/plain\b/i.test(answer)) {
    throw new Error("GET /: answered other than text/plain");
  }
  return answer.length;
}

async function probeEcho(port: number): Promise<number> {
  const message = "echo probe";
  const answer = await exchange(port, message, (text) => text.length >= message.length);
  if (answer !== message) throw new Error(`echo: answered \`${answer}\`, expected \`${message}\``);
  return answer.length;
}

async function exchange(
  port: number,
  request: string,
  isComplete: (text: string) => boolean,
): Promise<string> {
  using connection = await connectWhenReady(port);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, probeTimeoutMs);
  let text = "";
  try {
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(4096);
    while (!isComplete(text)) {
      const count = await connection.read(buffer);
      if (count === null) throw new Error(`probe: the connection ended after ${text.length} bytes`);
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return text;
  } catch (error) {
    if (!isLate) throw error;
    throw new Error(`probe: no full answer in ${probeTimeoutMs} ms, only \`${text.split("\r\n")[0]}\``, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Some print the address before they listen. */
async function connectWhenReady(port: number): Promise<Deno.TcpConn> {
  const deadline = Date.now() + probeTimeoutMs;
  for (;;) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, probeIntervalMs));
    }
  }
}
