import { describeSocketAddress, errno, systemError } from "../../../../ffi/mod.ts";
import type { Address } from "../driver.ts";
import { Endpoint } from "./endpoint.ts";
import type { Shared } from "./shared.ts";
import { SimulatedSocket } from "./simulated_socket.ts";
import { type Run, runOperation } from "./single_operation.ts";

const ENOENT = 2;

/** Connects to one address: waits for room in the listener's backlog, as a system does whose SYN gets no reply. */
export async function connectTo(
  shared: Shared,
  address: Address,
  signal: AbortSignal | undefined,
): Promise<SimulatedSocket> {
  const { world, scheduler } = shared;
  let endpoint: Endpoint | undefined;
  const run: Run = runOperation(shared.operations, {
    kind: "connect",
    operation: "connect",
    detail: `to ${describeSocketAddress(address)}`,
    signal,
    attempt() {
      const listener = world.listenerAt(address);
      if (listener === undefined) return "path" in address ? -ENOENT : -errno.ECONNREFUSED;
      if (!listener.hasRoom) {
        listener.whenRoom(() => run.retry());
        return undefined;
      }
      const [client, server] = Endpoint.connect(
        world.clientAddress(address),
        listener.address,
        scheduler,
        world.link,
      );
      listener.offer(server);
      endpoint = client;
      return 0;
    },
    release() {
      // Connected all the same although the caller has given up.
      if (signal?.aborted) endpoint?.close();
    },
  });
  await run.promise;
  if (endpoint === undefined) throw systemError("connect", errno.ECONNABORTED);
  return new SimulatedSocket(shared, endpoint);
}
