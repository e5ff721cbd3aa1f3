/** How many tests ended how. Steps count with the test they belong to. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  /** Those that the tests themselves skip; not those that a filter left out. */
  readonly skipped: number;
}

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

function countSuite(suite: string): TestCounts {
  let [passed, failed, skipped] = [0, 0, 0];
  const names = new Set<string>();
  for (const [, attributes, body = ""] of suite.matchAll(/<testcase\s([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1] ?? "";
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
  const mark = " &gt; ";
  for (let end = name.indexOf(mark); end >= 0; end = name.indexOf(mark, end + mark.length)) {
    if (names.has(name.slice(0, end))) return true;
  }
  return false;
}
