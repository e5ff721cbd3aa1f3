import { assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../support/assertions.ts";
import { OutputClosedError } from "../../src/cli/exit_codes.ts";
import { Output } from "../../src/cli/output.ts";

const decoder = new TextDecoder();

Deno.test("Output.write() goes on where the system took a part only", async () => {
  let text = "";
  const sink = {
    write: (bytes: Uint8Array) => {
      text += decoder.decode(bytes.subarray(0, 2));
      return Promise.resolve(Math.min(2, bytes.length));
    },
  };
  await new Output(sink, new AbortController().signal).line("abcde");
  assertStrictEquals(text, "abcde\n");
});

Deno.test("Output.write() tells a reader who has gone from other failures", async () => {
  const { signal } = new AbortController();
  const failing = (error: Error) => new Output({ write: () => Promise.reject(error) }, signal).line("x");
  await assertRejects(() => failing(new Deno.errors.BrokenPipe("gone")), OutputClosedError);
  await assertRejectsMatching(() => failing(new Error("no space left")), {
    name: "CommandError",
    message: "write to standard output: no space left",
  });
});

Deno.test("Output.write() ends at the signal when the reader takes nothing", async () => {
  const stop = new AbortController();
  const writing = new Output({ write: () => new Promise(() => {}) }, stop.signal).line("x");
  stop.abort(new Error("stopped"));
  await assertRejectsMatching(() => writing, { message: "stopped" });
});

Deno.test("Output.write() is done when what was under way at the signal is written", async () => {
  const stop = new AbortController();
  const written = Promise.withResolvers<number>();
  const writing = new Output({ write: () => written.promise }, stop.signal).line("x");
  stop.abort(new Error("stopped"));
  written.resolve(2);
  await writing;
});
