import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { startExample } from "../support/net_child.ts";
import { REAL_DRIVERS } from "../support/net_harness.ts";

/** An address for documentation (RFC 5737), so that no machine has it. */
const FOREIGN_ADDRESS = "203.0.113.7:0";

/** Wrong command lines, and what the answer has to name. */
const WRONG: [args: string[], named: RegExp][] = [
  [["--addr", "nonsense"], /"nonsense".*expected host:port/],
  [["--addr", "127.0.0.1:65536"], /65536.*expected/],
  [["--addr", "127.0.0.1:-1"], /-1/],
  [["--addr="], /""/],
  [["--addr"], /addr/],
  [["--driver", "epoll"], /"epoll".*expected auto, uring or deno/],
  [["--driver="], /""/],
  [["--port", "80"], /--port/],
  [["-x"], /-x/],
  [["stray"], /stray/],
];

for (const name of ["http_echo", "tcp_echo"]) {
  for (const [args, named] of WRONG) {
    Deno.test(`examples/${name}.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
      await using child = await startExample(name, args);
      const { code, stdout, stderr } = await child.ended();
      assertEquals([code, stdout], [2, ""], stderr);
      assertMatch(stderr, new RegExp(`^${name}: .*; usage: ${name} .*\n$`));
      assertMatch(stderr, named);
    });
  }

  for (const flag of ["--help", "-h"]) {
    Deno.test(`examples/${name}.ts ${flag} says how it is used and exits with 0`, async () => {
      await using child = await startExample(name, [flag]);
      const { code, stdout, stderr } = await child.ended();
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, new RegExp(`^usage: ${name} .*\\n$`));
    });
  }

  for (const { name: driver, skipReason } of REAL_DRIVERS) {
    const unusable: [addr: string, named: RegExp][] = [
      [FOREIGN_ADDRESS, /203\.0\.113\.7.*not one of this machine/],
      ["no-such-host.invalid:0", /no-such-host\.invalid.*no such host/],
    ];
    for (const [addr, named] of unusable) {
      Deno.test({
        name: `examples/${name}.ts --driver ${driver} --addr ${addr} says one clear line and exits with 1`,
        ignore: skipReason !== undefined,
        async fn() {
          await using child = await startExample(name, ["--addr", addr, "--driver", driver]);
          const { code, stdout, stderr } = await child.ended();
          assertEquals([code, stdout], [1, ""], stderr);
          assertMatch(stderr, new RegExp(`^${name}: .*\\n$`));
          assertMatch(stderr, named);
        },
      });
    }

    for (const host of ["[::1]", "localhost"]) {
      Deno.test({
        name: `examples/${name}.ts --driver ${driver} --addr ${host}:0 listens there`,
        ignore: skipReason !== undefined,
        async fn() {
          await using child = await startExample(name, ["--addr", `${host}:0`, "--driver", driver]);
          const [, address, port] = await child.says(/listening on (?:http:\/\/)?(.*):(\d+)\/? \(driver/);
          if (host === "[::1]") assertStrictEquals(address, host);
          const hostname = address.replace(/^\[(.*)\]$/, "$1");
          (await Deno.connect({ hostname, port: Number(port) })).close();
          child.kill("SIGTERM");
          assertStrictEquals((await child.ended()).code, 0);
        },
      });
    }
  }

  Deno.test(`examples/${name}.ts without the native library serves, and says why it is not io_uring`, async () => {
    await using child = await startExample(name, ["--addr", "127.0.0.1:0"], { MILLRACE_NATIVE: "off" });
    await child.says(/driver: deno/);
    child.kill("SIGINT");
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 0);
    assertMatch(stderr, new RegExp(`^${name}: without io_uring: .*MILLRACE_NATIVE is "off"\\n$`));
  });

  Deno.test(`examples/${name}.ts --driver uring that cannot be had names the cause and exits with 1`, async () => {
    const cases: [native: string, named: RegExp][] = [
      ["off", /MILLRACE_NATIVE is "off"/],
      ["/nowhere/libmillrace.so", /\/nowhere\/libmillrace\.so is not there.*deno task build/],
    ];
    for (const [native, named] of cases) {
      const args = ["--addr", "127.0.0.1:0", "--driver", "uring"];
      await using child = await startExample(name, args, { MILLRACE_NATIVE: native });
      const { code, stdout, stderr } = await child.ended();
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, new RegExp(`^${name}: .*\\n$`));
      assertMatch(stderr, named);
    }
  });

  const refusal = REAL_DRIVERS.find(({ name: driver }) => driver === "uring")?.skipReason;
  Deno.test({
    name: `examples/${name}.ts --driver uring says why where this machine has none`,
    // Elsewhere there is nothing to say.
    ignore: refusal === undefined,
    async fn() {
      await using child = await startExample(name, ["--addr", "127.0.0.1:0", "--driver", "uring"]);
      const { code, stdout, stderr } = await child.ended();
      assertEquals([code, stdout, stderr], [1, "", `${name}: ${refusal}\n`]);
    },
  });
}
