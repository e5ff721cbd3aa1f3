import { closeDescriptor, listeningSocket, resolveNow } from "../../ffi/mod.ts";
import type { Address, Driver, DriverListener, ListenSocketOptions } from "../../src/io/reactor/mod.ts";
import type { DriverUnderTest } from "./driver_harness.ts";

/** `target` with every TCP listener of its driver taken over from a socket that was made elsewhere, as a worker's is. */
export function adoptingDriver(target: DriverUnderTest): DriverUnderTest {
  return {
    ...target,
    title: `${target.title} on sockets of others`,
    open(seed) {
      const opened = target.open(seed);
      const { driver } = opened;
      const listen = driver.listen.bind(driver);
      driver.listen = (address, options) =>
        isPlain(address, options) ? adoptNew(driver, address, options) : listen(address, options);
      return opened;
    },
  };
}

/** What is no address, or cannot be shared, is the driver's own to refuse. */
function isPlain(
  address: Address,
  { reusePort }: ListenSocketOptions,
): address is { hostname: string; port: number } {
  return "port" in address && address.port >= 0 && address.port <= 65_535 && !reusePort &&
    !address.hostname.includes(" ");
}

function adoptNew(
  driver: Driver,
  { hostname, port }: { hostname: string; port: number },
  options: ListenSocketOptions,
): DriverListener {
  const fd = listeningSocket({ hostname: resolveNow(hostname)[0], port }, options);
  try {
    return driver.adopt(fd, options);
  } finally {
    closeDescriptor(fd);
  }
}
