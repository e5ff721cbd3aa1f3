import { assertEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { openDriver } from "../../../src/io/reactor/mod.ts";
import { nameSkipReason } from "../../support/driver_native.ts";
import { uringSkipReason } from "../../support/driver_uring.ts";

const skipReason = uringSkipReason();

nameSkipReason("openDriver() where io_uring works", skipReason);

Deno.test("openDriver() opens Deno's own I/O when asked for it by name", () => {
  const { driver, fallbackReason } = openDriver({ driver: "deno", bufferByteLength: 2048 });
  assertEquals([driver.name, fallbackReason, driver.buffers.bufferByteLength], ["deno", undefined, 2048]);
  driver.close();
});

Deno.test("openDriver() refuses a driver it does not know", () => {
  const unknown = { driver: "epoll" } as unknown as { driver: "deno" };
  assertThrowsMatching(() => openDriver(unknown), { name: "TypeError", message: /driver "epoll": expected/ });
});

Deno.test({
  name: "openDriver() takes io_uring where it works, by name or not",
  ignore: skipReason !== undefined,
  fn() {
    for (const choice of ["auto", "uring", undefined] as const) {
      const { driver, fallbackReason } = openDriver(choice === undefined ? {} : { driver: choice });
      assertEquals([driver.name, fallbackReason], ["uring", undefined]);
      driver.close();
    }
  },
});

Deno.test({
  name: "openDriver() does not take a mistake in the options for a missing feature",
  ignore: skipReason !== undefined,
  fn() {
    assertThrows(() => openDriver({ submissionEntries: 3 }), RangeError);
    assertThrows(() => openDriver({ submissionEntries: 8192, completionEntries: 1024 }), RangeError);
  },
});
