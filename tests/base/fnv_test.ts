import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { fnv1a } from "../../src/base/mod.ts";

Deno.test("fnv1a() is FNV-1a where the numbers are bytes", () => {
  // From the test vectors of http://www.isthe.com/chongo/tech/comp/fnv/.
  const of = (text: string) => fnv1a(new TextEncoder().encode(text)) >>> 0;
  assertEquals([of(""), of("a"), of("foobar")], [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

Deno.test("fnv1a() differs where any bit of one number does", () => {
  const numbers = [1, -7, 0x7fffffff, 0];
  for (let index = 0; index < numbers.length; index++) {
    for (let bit = 0; bit < 32; bit++) {
      const changed = numbers.with(index, numbers[index] ^ 1 << bit);
      assertNotStrictEquals(fnv1a(changed), fnv1a(numbers));
    }
  }
});
