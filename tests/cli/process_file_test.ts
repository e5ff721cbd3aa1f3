import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../support/assertions.ts";
import { UsageError } from "../../src/cli/exit_codes.ts";
import { parseProcessFile, readProcessFile } from "../../src/cli/process_file.ts";

const TOML = `
socket = "/run/millrace.sock"

[[process]]
name = "web"
command = "deno"
args = ["run", "web.ts"]
instances = 4
listen = [{ name = "http", port = 8080 }]
ready = { kind = "message", timeoutMs = 5000 }

[process.env]
LEVEL = "info"

[[process]]
name = "nap"
command = "sleep"
args = ["100"]
`;
const PROCESSES = [
  {
    name: "web",
    command: "deno",
    args: ["run", "web.ts"],
    instances: 4,
    listen: [{ name: "http", port: 8080 }],
    ready: { kind: "message", timeoutMs: 5000 },
    env: { LEVEL: "info" },
  },
  { name: "nap", command: "sleep", args: ["100"] },
];

Deno.test("parseProcessFile() reads TOML, and JSON by the file's name", () => {
  const socket = "/run/millrace.sock";
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  assertEquals(plain(parseProcessFile("a.toml", TOML)), { processes: PROCESSES, socket });
  assertEquals(plain(parseProcessFile("a.json", JSON.stringify({ process: PROCESSES, socket }))), {
    processes: PROCESSES,
    socket,
  });
  assertStrictEquals(parseProcessFile("a.toml", '[[process]]\nname = "a"\ncommand = "b"').socket, undefined);
});

/** What is wrong with a file, and the error's line. */
const MISTAKES: readonly [path: string, text: string, message: RegExp][] = [
  ["a.toml", "process = [", /^a\.toml:1:\d+: /],
  ["a.json", "{", /^a\.json: .*JSON/],
  ["a.json", "[]", /^a\.json: it is \[\], expected an object with the list process$/],
  ["a.toml", "", /^a\.toml: process is missing, expected a list of 1 to 256 processes$/],
  ["a.toml", '[[processes]]\nname = "a"', /^a\.toml: processes is unknown, expected process or socket$/],
  ["a.toml", 'socket = 1\n[[process]]\nname = "a"', /^a\.toml: socket is 1, expected a path$/],
  [
    "a.toml",
    '[[process]]\nname = "a"',
    /^a\.toml: process\[0\]\.command is missing, expected a path, or a name/,
  ],
  [
    "a.toml",
    '[[process]]\nname = "a"\ncommand = "b"\ninstances = "many"',
    /^a\.toml: process\[0\]\.instances is "many", expected a whole number from 1 to 1024$/,
  ],
  [
    "a.json",
    '{"process":[{"name":"a","command":"b","restart":{"delay":5}}]}',
    /^a\.json: process\[0\]\.restart\.delay is 5, expected one of delayMs, .*there is no such key$/,
  ],
];

for (const [path, text, message] of MISTAKES) {
  Deno.test(`parseProcessFile() names file, key, what is there and what is expected: ${message.source}`, () => {
    assertThrowsMatching(() => parseProcessFile(path, text), (error) => {
      assert(error instanceof UsageError);
      assertMatch(error.message, message);
      return true;
    });
  });
}

Deno.test("readProcessFile() refuses a file that is not there, or far too long", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/a.toml`;
    await assertRejectsMatching(() => readProcessFile(path), {
      name: "UsageError",
      message: `${path}: there is no such file`,
    });
    await assertRejectsMatching(() => readProcessFile("no-such.toml"), {
      message: `no-such.toml: there is no such file in ${Deno.cwd()}`,
    });
    await Deno.writeFile(path, new Uint8Array((1 << 20) + 1));
    await assertRejectsMatching(
      () => readProcessFile(path),
      /it has 1048577 bytes, expected at most 1048576/,
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
