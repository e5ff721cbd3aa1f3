import { closeDescriptor, Mapping, openSharedObject } from "../../ffi/mod.ts";

/** What the test tells a worker: map the object, add so many times one to word 0. */
export interface AddOrder {
  readonly name: string;
  readonly additions: number;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<AddOrder>) => void;
  postMessage(report: unknown): void;
};

scope.onmessage = ({ data: { name, additions } }) => {
  const fd = openSharedObject(name);
  using mapping = Mapping.create(4096, fd);
  closeDescriptor(fd);
  const words = new Int32Array(mapping.buffer);
  for (let count = 0; count < additions; count++) Atomics.add(words, 0, 1);
  scope.postMessage("done");
};
