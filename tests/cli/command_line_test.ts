import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { type CommandLine, parseCommandLine } from "../../src/cli/command_line.ts";
import { queueCommands } from "../../src/cli/queue/mod.ts";
import { VERSION } from "../../src/cli/version.ts";

function parse(...parameters: string[]): CommandLine {
  return parseCommandLine(parameters, queueCommands);
}

function parseRun(...parameters: string[]): CommandLine & { kind: "run" } {
  const asked = parse(...parameters);
  assert(asked.kind === "run", JSON.stringify(asked));
  return asked;
}

Deno.test("parseCommandLine() gives command, arguments, flags and file", () => {
  const asked = parseRun(
    "queue",
    "create",
    "jobs",
    "--message-bytes-max",
    "64",
    "--capacity=8",
    "--config",
    "f",
  );
  assertStrictEquals(asked.command.name, "create");
  assertEquals(asked.positionals, ["jobs"]);
  assertEquals(Object.fromEntries(asked.flags), { capacity: "8", "message-bytes-max": "64" });
  assertStrictEquals(asked.config, "f");
});

Deno.test("parseCommandLine() reads switches both ways", () => {
  assertEquals([...parseRun("queue", "receive", "jobs", "--json").flags], [["json", "true"]]);
  assertEquals([...parseRun("queue", "receive", "jobs", "--no-json").flags], [["json", "false"]]);
  assertEquals([...parseRun("queue", "receive", "jobs").flags], []);
});

Deno.test("parseCommandLine() takes what stands behind -- as arguments", () => {
  assertEquals(parseRun("queue", "send", "jobs", "--json", "--", "-x", "--y", "").positionals, [
    "jobs",
    "-x",
    "--y",
    "",
  ]);
});

const WRONG: [parameters: string[], message: RegExp][] = [
  [["frob"], /^unknown command 'frob'; see millrace --help$/],
  [["queue", "recieve"], /^unknown command 'recieve' \(Did you mean receive\?\); see millrace --help$/],
  [["queue", "send"], /^missing required argument 'name'; see millrace queue send --help$/],
  [["queue", "status", "a", "b"], /^too many arguments .*; see millrace queue status --help$/],
  [
    ["queue", "create", "a", "--capcity", "1"],
    /'--capcity' \(Did you mean --capacity\?\); see millrace queue c/,
  ],
  [["queue", "create", "a", "--capacity"], /argument missing/],
  [["queue", "unlink", "a", "--json"], /unknown option '--json'/],
];
for (const [parameters, message] of WRONG) {
  Deno.test(`parseCommandLine() refuses ${parameters.join(" ")}`, () => {
    assertThrowsMatching(() => parse(...parameters), { name: "UsageError", message });
  });
}

Deno.test("parseCommandLine() has help for every command, with its options and the exit codes", () => {
  for (const command of queueCommands) {
    const asked = parse("queue", command.name, "--help");
    assert(asked.kind === "text");
    assertStrictEquals(asked.exitCode, 0);
    for (const name of Object.keys(command.options)) assertMatch(asked.text, new RegExp(`--${name}\\b`));
    assertMatch(asked.text, /Exit codes:\n {2}0 /);
    assertMatch(asked.text, /MILLRACE_QUEUE_/);
  }
});

Deno.test("parseCommandLine() without a command gives help as for wrong usage", () => {
  for (const parameters of [[], ["queue"]]) {
    const asked = parse(...parameters);
    assert(asked.kind === "text");
    assertStrictEquals(asked.exitCode, 2);
    assertMatch(asked.text, /^Usage: millrace /);
  }
});

Deno.test("parseCommandLine() knows its version", () => {
  assertEquals(parse("--version"), { kind: "text", text: `${VERSION}\n`, exitCode: 0 });
});
