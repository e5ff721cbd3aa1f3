import {
  closeDescriptor,
  type CompletionSink,
  PinnedMemory,
  ProvidedBuffers,
  socketPair,
  Uring,
  uringLayout,
} from "../../../../ffi/mod.ts";

/**
 * How much of io_uring a kernel supports.
 *
 * - `"full"`: multishot receive and deferred task work (Linux 6.1).
 * - `"basic"`: multishot accept and rings of provided buffers (Linux 5.19); one receive request per piece of data.
 */
export type UringRung = "full" | "basic";

const { OPCODE, CQE_FLAG } = uringLayout;
const NEEDED = [
  OPCODE.accept,
  OPCODE.asyncCancel,
  OPCODE.close,
  OPCODE.connect,
  OPCODE.fsync,
  OPCODE.openat,
  OPCODE.readv,
  OPCODE.recv,
  OPCODE.recvmsg,
  OPCODE.send,
  OPCODE.sendmsg,
  OPCODE.writev,
];
const PROBE_WAIT_MS = 100;
const PROBE_WAITS_MAX = 4;
const RECEIVE_ID = 1;
const SEND_ID = 2;

/** Probed once per thread: the kernel does not change while a program runs. */
const found = new Map<UringRung, unknown>();

/**
 * The highest rung, up to `most`, on which a real receive works. It never asks for the kernel's version, because distributions
 * backport features and sandboxes remove them.
 *
 * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} when there is none
 */
export function probeUring(most: UringRung): UringRung {
  const rungs: UringRung[] = most === "full" ? ["full", "basic"] : ["basic"];
  let failure: unknown;
  for (const rung of rungs) {
    if (!found.has(rung)) found.set(rung, tryRung(rung));
    failure = found.get(rung);
    if (failure === undefined) return rung;
  }
  throw failure;
}

/** What fails on a rung, or `undefined`. */
function tryRung(rung: UringRung): unknown {
  try {
    using ring = Uring.open({ entries: 4, completionEntries: 8, deferTaskrun: rung === "full" });
    if (!ring.supports(NEEDED)) return missing("operations of Linux 5.19");
    receiveOnce(ring, rung);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Sends one byte over a pair of sockets and receives it the way the driver does. */
function receiveOnce(ring: Uring, rung: UringRung): void {
  using memory = PinnedMemory.allocate(1);
  using _provided = new ProvidedBuffers(ring, { bufferCount: 2, bufferByteLength: 64, group: 0 });
  const [reader, writer] = socketPair();
  try {
    const multishot = rung === "full";
    let works = false;
    const sink: CompletionSink = {
      complete(id, result, flags) {
        const expected = CQE_FLAG.buffer | (multishot ? CQE_FLAG.more : 0);
        works ||= id === RECEIVE_ID && result === 1 && (flags & expected) === expected;
      },
    };
    ring.prepareReceive(RECEIVE_ID, reader, 0, multishot);
    ring.prepareSend(SEND_ID, writer, memory, 0, 1);
    for (let waits = 0; waits < PROBE_WAITS_MAX && !works; waits++) {
      ring.enter(PROBE_WAIT_MS);
      ring.reap(sink);
    }
    if (!works) throw missing(multishot ? "multishot receive" : "receiving into provided buffers");
  } finally {
    // The ring first: its operations refer to the sockets and the memory.
    ring.close();
    closeDescriptor(reader);
    closeDescriptor(writer);
  }
}

function missing(what: string): Error {
  return new Deno.errors.NotSupported(`io_uring: this kernel lacks ${what}`);
}
