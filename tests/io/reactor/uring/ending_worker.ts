import { futexWait, PinnedMemory, Uring } from "../../../../ffi/mod.ts";
import {
  type DriverSocket,
  type IdleStrategy,
  Reactor,
  type SocketHandler,
  type UringRung,
} from "../../../../src/io/reactor/mod.ts";

/** What the worker is told first: what to open. */
export interface EndingOrder {
  /** 0: any. */
  readonly port: number;
  readonly rung: UringRung;
  readonly idle: IdleStrategy;
  /** A file that it opens and keeps open. */
  readonly path: string;
  /** Accept connections, or leave them in the kernel's queue. */
  readonly accept: boolean;
}

/** What the main thread tells a worker that listens to do. */
export type EndingCommand = "throw" | "close" | "futex" | "enter";

/** How long a worker stays in one native call. */
const NATIVE_CALL_MS = 500;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<EndingOrder | EndingCommand>) => void;
  postMessage(port: number): void;
  close(): void;
};

/** Answers every byte with itself. */
function echo(reactor: Reactor, socket: DriverSocket): void {
  const handler: SocketHandler = {
    onReceive(bytes, byteLength) {
      const buffer = reactor.driver.buffers.acquire();
      if (buffer === undefined) return;
      buffer.bytes.set(bytes.subarray(0, byteLength));
      socket.stopReceiving();
      socket.send(buffer, byteLength);
    },
    onReceiveEnd: () => socket.close(),
    onSent: () => socket.startReceiving(),
    onSendFailed: () => socket.close(),
  };
  socket.attach(handler);
  socket.startReceiving();
}

async function start({ port, rung, idle, path, accept }: EndingOrder): Promise<void> {
  const reactor = Reactor.open({ driver: "uring", rung, idle });
  const { driver } = reactor;
  const listener = driver.listen(
    { hostname: "127.0.0.1", port },
    { backlog: 64, reusePort: true, noDelay: true },
  );
  if (accept) {
    listener.startAccepting({ onAccept: (socket) => echo(reactor, socket), onAcceptError() {} });
  }
  const file = await driver.openFile(path, { read: true, write: true, create: true });
  await file.writeAt(new Uint8Array(100), 0);
  const datagrams = await driver.bindDatagram({ hostname: "127.0.0.1", port: 0 }, { reusePort: false });
  datagrams.startReceiving({ onDatagram() {}, onDatagramError() {} });
  if ("port" in listener.localAddress) scope.postMessage(listener.localAddress.port);
}

scope.onmessage = ({ data }) => {
  switch (data) {
    case "throw":
      throw new Error("on purpose");
    case "close":
      scope.close();
      break;
    case "futex": {
      const word = new Int32Array(PinnedMemory.allocate(4096).bytes.buffer);
      scope.postMessage(0);
      futexWait(word, 0, 0, NATIVE_CALL_MS, false);
      break;
    }
    case "enter": {
      const ring = Uring.open({ entries: 4, completionEntries: 8, deferTaskrun: false });
      scope.postMessage(0);
      ring.enter(NATIVE_CALL_MS);
      break;
    }
    default:
      start(data);
  }
};
