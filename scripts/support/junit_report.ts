/** How many tests ended how. Steps count with the test they belong to. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  /** Those that the tests themselves skip; not those that a filter left out. */
  readonly skipped: number;
}

/** A test that failed. */
export interface TestFailure {
  /** Its name, behind that of its file. */
  readonly name: string;
  /** What was thrown, or why the run takes it as failed. */
  readonly details: string;
}

/** Characters of a failure's details that are kept: the end of a long comparison says little. */
const DETAILS_LENGTH_MAX = 2000;

/** Nothing ran. */
export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** Adds two counts. */
export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The line that a test command ends with: `12 passed, 0 failed, 1 skipped`. */
export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}

/** Counts the tests in a report that `deno test --junit-path` wrote. */
export function countTests(report: string): TestCounts {
  let counts = noTests;
  for (const [, suite] of report.matchAll(/<testsuite\s[^>]*>(.*?)<\/testsuite>/gs)) {
    counts = addCounts(counts, countSuite(suite));
  }
  return counts;
}

/** The tests and steps that failed in a report that `deno test --junit-path` wrote. */
export function failuresIn(report: string): TestFailure[] {
  const failures: TestFailure[] = [];
  for (const { attributes, name, body } of testCases(report)) {
    const failure = /<(failure|error)\b([^>]*)>([^<]*)/.exec(body);
    if (failure === null) continue;
    const [, , failureAttributes, details] = failure;
    failures.push({
      name: `${attribute(attributes, "classname")}: ${name}`,
      details: (plain(details) || attribute(failureAttributes, "message")).trim().slice(
        0,
        DETAILS_LENGTH_MAX,
      ),
    });
  }
  return failures;
}

function* testCases(report: string): Generator<{ attributes: string; name: string; body: string }> {
  for (
    const [, attributes, body = ""] of report.matchAll(/<testcase\s([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)
  ) {
    yield { attributes, name: attribute(attributes, "name"), body };
  }
}

function attribute(attributes: string, name: string): string {
  return plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function plain(text: string): string {
  return text.replace(/&(\w+);/g, (entity, name) => ENTITIES[name] ?? entity);
}

function countSuite(suite: string): TestCounts {
  let [passed, failed, skipped] = [0, 0, 0];
  const names = new Set<string>();
  for (const { attributes, name, body } of testCases(suite)) {
    if (isStep(name, names)) continue;
    names.add(name);
    if (/<(failure|error)\b/.test(body)) failed++;
    else if (!/<skipped\b/.test(body)) passed++;
    // A test that the filter left out is reported as skipped too, but without a time.
    else if (/\btime="/.test(attributes)) skipped++;
  }
  return { passed, failed, skipped };
}

/** Steps follow their test, under the name "test > step". */
function isStep(name: string, names: ReadonlySet<string>): boolean {
  const mark = " > ";
  for (let end = name.indexOf(mark); end >= 0; end = name.indexOf(mark, end + mark.length)) {
    if (names.has(name.slice(0, end))) return true;
  }
  return false;
}
