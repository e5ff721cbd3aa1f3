import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../tests/support/assertions.ts";
import { errorCount, parseGeneratorOutput, parseWrkOutput } from "./load_result.ts";

/** What wrk 4.1.0 printed under load that met every kind of error. */
const wrkOutput = `Running 2s test @ http://127.0.0.1:37097/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.20ms    1.69ms   8.85ms   84.43%
    Req/Sec    75.89k     6.22k   89.56k    65.00%
  Latency Distribution
     50%  281.00us
     75%    1.78ms
     90%    3.84ms
     99%    1.05s
  152037 requests in 2.01s, 16.53MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec:  75497.12
Transfer/sec:      8.21MB
`;

Deno.test("parseWrkOutput() reads requests, percentiles in any unit, and every kind of error", () => {
  const result = parseWrkOutput(wrkOutput);
  assertEquals(result, {
    requests: 152037,
    seconds: 2.01,
    p50Us: 281,
    p99Us: 1.05e6,
    errors: { connect: 1, read: 2, write: 3, timeout: 4, status: 5 },
  });
  assertStrictEquals(errorCount(result), 15);
});

Deno.test("parseWrkOutput() counts no errors when wrk prints none", () => {
  const output = wrkOutput.replace(/.*Socket errors.*\n/, "").replace(/.*Non-2xx.*\n/, "");
  assertStrictEquals(errorCount(parseWrkOutput(output)), 0);
});

Deno.test("parseWrkOutput() throws when the totals are missing", () => {
  assertThrowsMatching(
    () => parseWrkOutput("unable to connect to 127.0.0.1:1 Connection refused\n"),
    /no line `N requests in T`.*refused/,
  );
});

Deno.test("parseGeneratorOutput() reads the line of JSON and throws without one", () => {
  const line = { requests: 3, seconds: 1, p50Us: 2, p99Us: 4, errors: { connect: 0 } };
  assertEquals(parseGeneratorOutput(`${JSON.stringify(line)}\n`), line);
  assertThrowsMatching(() => parseGeneratorOutput(""), /printed no result/);
});
