/**
 * Writes the grammar of every message of Kafka into the comment before its definition. A test fails where one
 * is stale.
 *
 * @module
 */
import { withGrammars } from "./support/kafka_grammar.ts";

const folder = new URL("../src/kafka/protocol/", import.meta.url);
for (const entry of Deno.readDirSync(folder)) {
  if (!entry.isFile) continue;
  const url = new URL(entry.name, folder);
  const source = Deno.readTextFileSync(url);
  const written = withGrammars(source, await import(url.href));
  if (written !== source) Deno.writeTextFileSync(url, written);
}
