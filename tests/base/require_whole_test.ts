import { assertThrowsMatching } from "../support/assertions.ts";
import { requireWhole } from "../../src/base/mod.ts";

Deno.test("requireWhole() takes whole numbers in its range, and says what it refuses", () => {
  for (const good of [1, 2, 3]) requireWhole("Thing", "count", good, 1, 3);
  for (const bad of [0, 4, 1.5, NaN, Infinity, "2"]) {
    assertThrowsMatching(() => requireWhole("Thing", "count", bad as number, 1, 3), {
      name: "RangeError",
      message: `Thing: count is ${bad}, expected a whole number from 1 to 3`,
    });
  }
});
