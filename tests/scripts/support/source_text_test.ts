import { assertEquals, assertStrictEquals } from "@std/assert";
import { blank, lineOf } from "../../../scripts/support/source_text.ts";

Deno.test("blank() replaces comments by spaces and keeps every position", () => {
  const source = "a; // b\n/* c\n d */ e;";
  assertStrictEquals(blank(source), "a;     \n    \n      e;");
});

Deno.test("blank() knows a comment mark inside a string from a comment", () => {
  for (const source of [`f("//a", '/*b', \`//\${1}*/\`);`, `"\\"//" + x`, "`a ${ `//${b}` } //c`"]) {
    assertStrictEquals(blank(source), source);
  }
});

Deno.test("blank() takes the text of strings out when asked, and keeps the code in templates", () => {
  assertStrictEquals(blank(`f("Deno", 'x');`, { strings: true }), `f("    ", ' ');`);
  assertStrictEquals(
    blank("`a${ b({ c: `d${e}` }) }f`", { strings: true }),
    "` ${ b({ c: ` ${e}` }) } `",
  );
});

Deno.test("blank() knows a regular expression from a division", () => {
  assertStrictEquals(blank(`x = /"[/]\\/"/.test(y); // z`, { strings: true }).includes(".test(y);"), true);
  assertStrictEquals(
    blank(`x = a / 2; y = "b" / c; return /"/.exec(d);`, { strings: true }).includes(".exec(d);"),
    true,
  );
});

Deno.test("lineOf() counts lines from 1", () => {
  assertEquals([lineOf("a\nb\nc", 0), lineOf("a\nb\nc", 2), lineOf("a\nb\nc", 4)], [1, 2, 3]);
});
