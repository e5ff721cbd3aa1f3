import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { asSystemError, check, errno, systemError } from "../../ffi/mod.ts";

Deno.test("systemError() is of the class that Deno users catch, with operation, code and number", () => {
  const error = systemError("connect", errno.ECONNREFUSED, "to 127.0.0.1:1");
  assert(error instanceof Deno.errors.ConnectionRefused);
  const { operation, code, errno: number, message } = error;
  assertEquals({ operation, code, number, message }, {
    operation: "connect",
    code: "ECONNREFUSED",
    number: 111,
    message: "connect to 127.0.0.1:1: no socket listens on the address (ECONNREFUSED)",
  });
});

Deno.test("systemError() keeps a number it does not know", () => {
  const error = systemError("fsync", 4095);
  assertEquals([error.code, error.errno, error.constructor], ["ERRNO_4095", 4095, Error]);
  assertStrictEquals(error.message, "fsync: error 4095 (ERRNO_4095)");
});

Deno.test("systemError() names the likely cause where an operation has a usual one", () => {
  assertMatch(systemError("io_uring_setup", errno.EPERM).message, /container profile/);
  assertMatch(systemError("io_uring_setup", errno.ENOSYS).message, /sandbox/);
  assertMatch(systemError("io_uring_setup", 12).message, /ulimit -l/);
  assertMatch(systemError("bind", 13).message, /privileges/);
  assertNotMatch(systemError("open", 13).message, /;/);
});

Deno.test("systemError() has the numbers and classes of Linux", () => {
  const { errors } = Deno;
  const expected: readonly [number, string, new (message: string) => Error][] = [
    [1, "EPERM", errors.PermissionDenied],
    [2, "ENOENT", errors.NotFound],
    [4, "EINTR", errors.Interrupted],
    [5, "EIO", Error],
    [9, "EBADF", errors.BadResource],
    [11, "EAGAIN", errors.WouldBlock],
    [13, "EACCES", errors.PermissionDenied],
    [17, "EEXIST", errors.AlreadyExists],
    [20, "ENOTDIR", errors.NotADirectory],
    [21, "EISDIR", errors.IsADirectory],
    [24, "EMFILE", Error],
    [28, "ENOSPC", Error],
    [32, "EPIPE", errors.BrokenPipe],
    [38, "ENOSYS", errors.NotSupported],
    [62, "ETIME", errors.TimedOut],
    [98, "EADDRINUSE", errors.AddrInUse],
    [99, "EADDRNOTAVAIL", errors.AddrNotAvailable],
    [101, "ENETUNREACH", errors.NetworkUnreachable],
    [103, "ECONNABORTED", errors.ConnectionAborted],
    [104, "ECONNRESET", errors.ConnectionReset],
    [105, "ENOBUFS", Error],
    [107, "ENOTCONN", errors.NotConnected],
    [110, "ETIMEDOUT", errors.TimedOut],
    [111, "ECONNREFUSED", errors.ConnectionRefused],
    [125, "ECANCELED", errors.Interrupted],
  ];
  for (const [number, code, type] of expected) {
    const error = systemError("test", number);
    assertEquals([error.code, error.constructor], [code, type]);
    assertStrictEquals(errno.errnoOf(code), number);
  }
  for (const [code, number] of Object.entries(errno)) {
    if (typeof number === "number") assertStrictEquals(systemError("test", number).code, code);
  }
});

Deno.test("asSystemError() gives errors of Deno's and Node's the same form", () => {
  const foreign = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
  const error = asSystemError("bind", foreign, "127.0.0.1:80");
  assert(error instanceof Deno.errors.AddrInUse);
  assertMatch(error.message, /^bind 127\.0\.0\.1:80: /);
});

Deno.test("asSystemError() keeps what it does not know, and says what was attempted", () => {
  const unknown = new RangeError("no code");
  assertStrictEquals(asSystemError("read", unknown), unknown);
  assertStrictEquals((unknown as RangeError & { operation?: string }).operation, "read");
  assertStrictEquals(asSystemError("read", "text").message, "read: text");
});

Deno.test("check() passes results on and throws for negative ones", () => {
  assertStrictEquals(check(0, "test"), 0);
  assertStrictEquals(check(7, "test"), 7);
  assertThrows(() => check(-errno.EBADF, "close"), Deno.errors.BadResource);
});
