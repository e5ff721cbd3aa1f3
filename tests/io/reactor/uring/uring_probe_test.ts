import { assert, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import { nativeStatus, Uring } from "../../../../ffi/mod.ts";
import { openDriver, UringDriver } from "../../../../src/io/reactor/mod.ts";
import { probeUring } from "../../../../src/io/reactor/uring/uring_probe.ts";
import { nameSkipReason, nativeSkipReason } from "../../../support/driver_native.ts";
import { uringSkipReason } from "../../../support/driver_uring.ts";

const skipReason = uringSkipReason();
const mode = Deno.env.get("MILLRACE_TEST_MODE");

nameSkipReason("probeUring() where io_uring works", skipReason);

Deno.test({
  name: "probeUring() finds no higher rung than it is asked for, and the same each time",
  ignore: skipReason !== undefined,
  fn() {
    const highest = probeUring("full");
    assert(highest === "full" || highest === "basic");
    assertStrictEquals(probeUring("full"), highest);
    assertStrictEquals(probeUring("basic"), "basic");
    using driver = UringDriver.open({ rung: "basic" });
    assertMatch(driver.description, /no multishot receive/);
  },
});

Deno.test({
  name: "probeUring() says what refuses io_uring and what the likely cause is",
  ignore: skipReason === undefined || nativeSkipReason() !== undefined,
  fn() {
    let error: unknown;
    try {
      probeUring("full");
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotSupported);
    assertMatch(error.message, /^io_uring/);
    if (mode === "eperm") assertMatch(error.message, /EPERM.*container profile/);
    if (mode === "enosys") assertMatch(error.message, /ENOSYS.*sandbox/);
    assertThrows(() => Uring.open({ entries: 4, completionEntries: 8, deferTaskrun: false }));
  },
});

Deno.test({
  name: "openDriver() takes Deno's own I/O where io_uring is refused, and says why",
  ignore: skipReason === undefined,
  fn() {
    const { driver, fallbackReason } = openDriver();
    assertStrictEquals(driver.name, "deno");
    assertMatch(fallbackReason ?? "", nativeStatus().available ? /^io_uring/ : /^the native library: /);
    driver.close();
    assertThrowsMatching(() => openDriver({ driver: "uring" }), (error) => {
      return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotSupported;
    });
  },
});
