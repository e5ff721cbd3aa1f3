/** Takes a listening socket over, closes it, and says so when the system has closed it too. */
import { closeDescriptor, listeningSocket } from "../../../../ffi/mod.ts";
import { DenoDriver } from "../../../../src/io/reactor/mod.ts";

const CLOSE_MS_MAX = 10_000;
const options = { backlog: 1, reusePort: false, noDelay: true };

/** Descriptors of this process for the same socket. */
function openCount(): number {
  const links = Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      // Closed meanwhile.
      return "";
    }
  });
  return links.filter((link) => link === socket).length;
}

const fd = listeningSocket({ hostname: "127.0.0.1", port: 0 }, options);
const socket = Deno.readLinkSync(`/proc/self/fd/${fd}`);
const listener = new DenoDriver().adopt(fd, options);
const openBefore = openCount();
listener.close();
closeDescriptor(fd);
const endMs = performance.now() + CLOSE_MS_MAX;
while (openCount() > 0 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
postMessage({ openBefore, left: openCount() });
