import { assertStrictEquals } from "@std/assert";
import { nameProblem } from "../../src/base/mod.ts";

Deno.test("nameProblem() takes names that are parts of file names, and says what it refuses", () => {
  for (const good of ["a", "A.b-c_9", ".", "x".repeat(5)]) {
    assertStrictEquals(nameProblem(good, 7), undefined);
  }
  for (const bad of ["", "a/b", "a b", "\0", "ü", "a\n", "x".repeat(8)]) {
    assertStrictEquals(
      nameProblem(bad, 7),
      `${JSON.stringify(bad)}, expected 1 to 7 letters, digits, "_", "." and "-"`,
    );
  }
});
