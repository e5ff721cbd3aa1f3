/**
 * `ffi_call.ts KIND MILLISECONDS`: makes one kind of call into the native library over and over for about that long, and
 * prints the nanoseconds that one took. A process makes one kind only, so that the loop is compiled for it.
 */
import { monotonicNs, native, nativeCrc32c } from "../../ffi/mod.ts";

const library = native();
const oneByte = new Uint8Array(1);
const kibibyte = new Uint8Array(1024);
const word = new Uint8Array(new ArrayBuffer(8));
const request = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
const heads = new Int32Array(256);
/** Refused before the kernel is asked. */
const noDescriptor = -1;
/** Not on a page boundary: the kernel refuses to unmap it before it looks what is there. */
const noPageNumber = 1;
const noPageBigint = 1n;

/** Each makes one call and gives its result, so that none can be optimised away. */
const kinds: Readonly<Record<string, () => number>> = {
  "none": () => library.millrace_abi_version(),
  "i32": () => library.millrace_close(noDescriptor),
  "i32-u32x5": () => library.millrace_uring_enter(noDescriptor, 0, 0, 0, 0, 0),
  "f64-result": () => library.millrace_clock_monotonic_ns(),
  "f64-result-wrapped": () => monotonicNs(),
  "buffer-u32x2": () => library.millrace_crc32c(oneByte, 0, 0),
  "buffer-u32x2-wrapped": () => nativeCrc32c(oneByte),
  "buffer-1KiB": () => library.millrace_crc32c(kibibyte, 1024, 0),
  "two-buffers": () => library.millrace_http_parse(request, 0, heads, heads.length, 8192, 4096),
  "http-request": () => library.millrace_http_parse(request, request.length, heads, heads.length, 8192, 4096),
  "system-call": () => library.millrace_futex_wake(word, 0, 0),
  "u64-number": () =>
    library.millrace_unmap(noPageNumber as unknown as bigint, noPageNumber as unknown as bigint),
  "u64-bigint": () => library.millrace_unmap(noPageBigint, noPageBigint),
};

const batchCalls = 100_000;

/** Nanoseconds of one call, over whole batches until the time is up. */
function measure(call: () => number, milliseconds: number): number {
  repeat(call);
  const startMs = performance.now();
  let batches = 0;
  let elapsedMs = 0;
  do {
    repeat(call);
    batches++;
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < milliseconds);
  return elapsedMs * 1e6 / (batches * batchCalls);
}

function repeat(call: () => number): number {
  let sum = 0;
  for (let count = 0; count < batchCalls; count++) sum += call();
  return sum;
}

const [kind, milliseconds] = Deno.args;
if (!Object.hasOwn(kinds, kind)) {
  throw new TypeError(`kind is ${kind}, expected one of ${Object.keys(kinds).join(", ")}`);
}
const nanoseconds = measure(kinds[kind], Number(milliseconds));
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ nanoseconds })}\n`));
