import { assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import { closeDescriptor, createEventDescriptor, signalEventDescriptor } from "../../../../ffi/mod.ts";
import {
  type IdleStrategy,
  Reactor,
  type ReactorSource,
  UringDriver,
} from "../../../../src/io/reactor/mod.ts";
import { uringSkipReason } from "../../../support/driver_uring.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 20_000;
const ignore = uringSkipReason() !== undefined;

Deno.test({
  name: "UringDriver.watch() ends a poll() that waits, each time the descriptor is signalled",
  ignore,
  fn() {
    using driver = UringDriver.open();
    const descriptor = createEventDescriptor();
    const watch = driver.watch(descriptor);
    driver.poll(0);
    for (let round = 0; round < 100; round++) {
      signalEventDescriptor(descriptor);
      assertStrictEquals(driver.poll(10_000), 1);
    }
    assertStrictEquals(driver.poll(1), 0);
    watch[Symbol.dispose]();
    while (driver.inFlightCount > 0) driver.poll(1000);
    signalEventDescriptor(descriptor);
    assertStrictEquals(driver.poll(1), 0);
    closeDescriptor(descriptor);
  },
});

/** A number that another thread counts up, and that is taken away again. */
class Source implements ReactorSource {
  /** What was brought, and whether the thread sleeps. */
  readonly words = new Int32Array(new SharedArrayBuffer(8));
  taken = 0;
  armedCount = 0;
  inKernelCount = 0;

  poll(): number {
    const count = Atomics.exchange(this.words, 0, 0);
    this.taken += count;
    return count;
  }

  arm(inKernel: boolean): boolean {
    this.armedCount++;
    if (inKernel) this.inKernelCount++;
    Atomics.store(this.words, 1, inKernel ? 1 : 2);
    return Atomics.load(this.words, 0) === 0;
  }

  disarm(): void {
    Atomics.store(this.words, 1, 0);
  }
}

for (const idle of ["block", "cooperate", "spin"] satisfies IdleStrategy[]) {
  Deno.test({
    name: `Reactor.attach() has the loop look after a source that another thread feeds (${idle})`,
    ignore,
    fn: () =>
      withWatchdog(WATCHDOG_MS, async () => {
        using reactor = Reactor.open({ driver: "uring", idle });
        const source = new Source();
        const descriptor = createEventDescriptor();
        reactor.attach(source, descriptor);
        const code = `
          self.onmessage = async ({ data: [memory, count] }) => {
            const words = new Int32Array(memory);
            for (let index = 0; index < count; index++) {
              await new Promise((resolve) => setTimeout(resolve, index % 3));
              Atomics.add(words, 0, 1);
              self.postMessage(Atomics.load(words, 1));
            }
          };
        `;
        const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
        worker.onmessage = ({ data: sleeping }) => {
          if (sleeping === 1) signalEventDescriptor(descriptor);
          else if (sleeping === 2) reactor.wake();
        };
        worker.postMessage([source.words.buffer, 50]);
        while (source.taken < 50) await new Promise((resolve) => setTimeout(resolve, 1));
        worker.terminate();
        reactor.detach();
        assertStrictEquals(source.armedCount > 0, idle !== "spin");
        closeDescriptor(descriptor);
      }),
  });
}

Deno.test({
  name: "Reactor.attach() takes one source, on a driver that is polled",
  ignore,
  fn() {
    using reactor = Reactor.open({ driver: "uring" });
    const descriptor = createEventDescriptor();
    reactor.attach(new Source(), descriptor);
    assertThrowsMatching(() => reactor.attach(new Source(), descriptor), /there is a source already/);
    reactor.detach();
    reactor.attach(new Source(), descriptor);
    reactor.detach();
    closeDescriptor(descriptor);
    using portable = Reactor.open({ driver: "deno" });
    assertThrowsMatching(() => portable.attach(new Source(), 0), /not polled/);
  },
});
