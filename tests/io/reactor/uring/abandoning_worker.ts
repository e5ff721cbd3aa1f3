import {
  closeDescriptor,
  type CompletionSink,
  listeningSocket,
  localAddress,
  socketPair,
  Uring,
} from "../../../../ffi/mod.ts";

/** What the worker leaves behind when it is terminated. */
export type Abandoned =
  /** Connections that completions tell of, which nobody has looked at; more of them than the completion ring holds. */
  | "accepted"
  /** A connection whose close request the kernel was not handed. */
  | "closing"
  /** Nothing of the descriptors that it had, and closed: one half by the ring, the other by a call. */
  | "closed";

/** What the worker is told. */
export interface AbandoningOrder {
  readonly abandoned: Abandoned;
  readonly deferTaskrun: boolean;
  /** Connections to wait for. */
  readonly count: number;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<AbandoningOrder>) => void;
  postMessage(message: readonly number[]): void;
};
const WAIT_MS = 20;
const ACCEPT_ID = 1;

let ring: Uring;
let listening: number;
let order: AbandoningOrder;

/** Takes completions until one connection has been accepted; the result is its descriptor. */
function acceptOne(): number {
  let accepted = -1;
  const sink: CompletionSink = {
    complete(_id, result) {
      accepted = result;
    },
  };
  while (accepted < 0) {
    ring.enter(WAIT_MS);
    ring.reap(sink);
  }
  return accepted;
}

function abandon(): void {
  switch (order.abandoned) {
    case "accepted":
      // Waits for so many, and looks at none of them.
      for (let waits = 0; waits < 10; waits++) ring.enter(WAIT_MS, order.count);
      scope.postMessage([]);
      return;
    case "closing":
      ring.prepareClose(0, acceptOne());
      scope.postMessage([ring.pendingCount]);
      return;
    case "closed": {
      const pairs = Array.from({ length: 8 }, () => socketPair());
      for (const [byRing] of pairs) ring.prepareClose(0, byRing);
      ring.enter(0);
      for (const [, byCall] of pairs) closeDescriptor(byCall);
      scope.postMessage(pairs.flat());
    }
  }
}

scope.onmessage = ({ data }) => {
  if (ring !== undefined) return abandon();
  order = data;
  ring = Uring.open({ entries: 4, completionEntries: 4, deferTaskrun: data.deferTaskrun });
  listening = listeningSocket({ hostname: "127.0.0.1", port: 0 }, { backlog: 64, reusePort: true });
  ring.prepareAccept(ACCEPT_ID, listening);
  ring.enter(0);
  const address = localAddress(listening);
  if ("port" in address) scope.postMessage([address.port]);
};
