import type { Field, Fields, FieldType } from "../../src/kafka/protocol/definition/fields.ts";
import { Message } from "../../src/kafka/protocol/definition/message.ts";
import { VERSION_MAX, type VersionRange } from "../../src/kafka/protocol/definition/versions.ts";

/** The end of a doc comment that closes with a block of text, and the name that it is of. */
const GRAMMAR_COMMENT = /^ \* ```text\n(?: \* .*\n)*? \* ```\n \*\/\nexport const (\w+) =/gm;

/**
 * `source` with the grammar of each message in the comment before it; `exported` is what its module exports.
 */
export function withGrammars(source: string, exported: Readonly<Record<string, unknown>>): string {
  return source.replaceAll(GRAMMAR_COMMENT, (_, name: string) => {
    const lines = messagesOf(exported[name]).flatMap(printGrammar);
    return ` * \`\`\`text\n${
      lines.map((line) => ` * ${line}\n`).join("")
    } * \`\`\`\n */\nexport const ${name} =`;
  });
}

function messagesOf(defined: unknown): Message[] {
  if (defined instanceof Message) return [defined];
  const { request, response } = defined as { request: Message; response: Message };
  return [request, response];
}

/** What a line of a comment has room for. */
const LINE_LENGTH_MAX = 106;

/**
 * The grammar of a message, as Kafka's documentation has it: `[name]` is an array, `<3: name>` a tagged
 * field, and in brackets after a name is what only some versions have.
 */
export function printGrammar(message: Message): string[] {
  const flexible = message.flexibleVersions;
  const notes = [versionsText(message.versions)];
  if (flexible.max >= flexible.min) notes.push(`flexible ${versionsText(flexible)}`);
  return [
    ...wrap(`${message.name} (${notes.join(", ")}) =>${partsText(message.fields)}`, ""),
    ...printFields(message.fields, "  "),
  ];
}

function printFields(fields: Fields, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const parts = structFields(field.type);
    const type = parts === null ? scalarName(field.type) : partsText(parts).trim();
    const line = `${indent}${name}${notesText(field)} => ${type}`;
    return parts === null ? [line] : [...wrap(line, indent), ...printFields(parts, `${indent}  `)];
  });
}

/** Breaks a line between names; the rest stands further in than a field of the part would. */
function wrap(line: string, indent: string): string[] {
  const lines: string[] = [];
  let current = indent;
  for (const word of line.match(/<\d+: \S+|\S+/g) ?? []) {
    const longer = current.trim() === "" ? `${current}${word}` : `${current} ${word}`;
    if (longer.length <= LINE_LENGTH_MAX) {
      current = longer;
    } else {
      lines.push(current);
      current = `${indent}      ${word}`;
    }
  }
  return [...lines, current];
}

function notesText(field: Field): string {
  const notes = [];
  if (!isAll(field.versions)) notes.push(versionsText(field.versions));
  if (isAll(field.nullable)) notes.push("nullable");
  else if (field.nullable.max >= field.nullable.min) notes.push(`nullable ${versionsText(field.nullable)}`);
  return notes.length === 0 ? "" : ` (${notes.join(", ")})`;
}

function partsText(fields: Fields): string {
  return Object.entries(fields).map(([name, field]) => {
    const text = field.type.kind === "array" ? `[${name}]` : name;
    return field.tag === null ? ` ${text}` : ` <${field.tag}: ${text}>`;
  }).join("");
}

function structFields(type: FieldType): Fields | null {
  if (type.kind === "array") return structFields(type.element);
  return type.kind === "struct" ? type.fields : null;
}

function scalarName(type: FieldType): string {
  return type.kind === "array" ? scalarName(type.element) : type.kind.toUpperCase();
}

function versionsText({ min, max }: VersionRange): string {
  if (max === VERSION_MAX) return `${min}+`;
  return min === max ? `${min}` : `${min}-${max}`;
}

function isAll({ min, max }: VersionRange): boolean {
  return min === 0 && max === VERSION_MAX;
}
