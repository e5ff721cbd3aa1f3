import { closeDescriptor, type FutexResult, futexWait, Mapping, openSharedObject } from "../../ffi/mod.ts";

/** What the test tells a worker: map the object, say so in word 1, and wait on word 0. */
export interface FutexOrder {
  readonly name: string;
  readonly expected: number;
  readonly timeoutMs: number;
}

/** What the worker found. */
export interface FutexReport {
  readonly result: FutexResult;
  readonly value: number;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<FutexOrder>) => void;
  postMessage(report: FutexReport): void;
};

scope.onmessage = ({ data: { name, expected, timeoutMs } }) => {
  const fd = openSharedObject(name);
  using mapping = Mapping.create(4096, fd);
  closeDescriptor(fd);
  const words = new Int32Array(mapping.buffer);
  Atomics.add(words, 1, 1);
  let result: FutexResult;
  // A wake may be for nothing, so the word decides.
  do result = futexWait(words, 0, expected, timeoutMs, true); while (
    result === "woken" && Atomics.load(words, 0) === expected
  );
  scope.postMessage({ result, value: Atomics.load(words, 0) });
};
