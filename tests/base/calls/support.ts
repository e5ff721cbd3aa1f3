import {
  CallConnection,
  type ConnectionOwner,
  FrameSender,
  type MessageWriter,
  type RequireRoom,
  type Transport,
} from "../../../src/base/calls/mod.ts";
import { KnownErrorClasses, type ValueReader } from "../../../src/base/value/mod.ts";

/** A transport within one thread, which holds `capacity` messages until they are taken. */
export class FakeTransport implements Transport, MessageWriter {
  readonly writer: MessageWriter = this;
  readonly messageBytesMax: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly messages: Uint8Array<ArrayBuffer>[] = [];
  capacity: number;
  flushCount = 0;
  /** How long each message was that found no room. */
  readonly awaited: number[] = [];

  constructor(messageBytesMax: number, capacity = Infinity) {
    this.messageBytesMax = messageBytesMax;
    this.capacity = capacity;
    this.bytes = new Uint8Array(messageBytesMax + 8);
    this.view = new DataView(this.bytes.buffer);
  }

  tryClaim(byteLength: number): number {
    if (byteLength > this.messageBytesMax) throw new RangeError(`${byteLength} bytes are claimed`);
    return this.messages.length < this.capacity ? 8 : -1;
  }

  commit(byteLength: number): void {
    this.messages.push(this.bytes.slice(8, 8 + byteLength));
  }

  flush(): void {
    this.flushCount++;
  }

  awaitRoom(byteLength: number): boolean {
    this.awaited.push(byteLength);
    return this.messages.length >= this.capacity;
  }
}

/** One side of two that call each other. */
export class Side implements ConnectionOwner {
  readonly transport = new FakeTransport(256);
  readonly connection: CallConnection;
  readonly errorClasses = new KnownErrorClasses({});
  /** What happened, in order. */
  readonly log: unknown[] = [];
  /** What is called, by number. */
  tasks: ((...args: unknown[]) => unknown)[] = [];

  constructor(requireRoom: RequireRoom = () => {}) {
    this.connection = new CallConnection(new FrameSender(this.transport, requireRoom), this);
  }

  run(connection: CallConnection, call: number, task: number, count: number, reader: ValueReader): void {
    try {
      const args = Array.from({ length: count }, () => reader.read());
      connection.answer(
        call,
        `task ${task}`,
        this.tasks[task].call({ signal: connection.signalOf(call) }, ...args),
      );
    } catch (error) {
      connection.answerThrown(call, error);
    }
  }

  /** Calls a task of the other side; a signal among the arguments ends the call. */
  call(task: number, ...args: unknown[]): number {
    const signal = args.find((value) => value instanceof AbortSignal);
    const listener = {
      onAnswer: (value: unknown) => this.log.push(value),
      onFailure: (reason: unknown) => this.log.push(`failure: ${reason}`),
    };
    return this.connection.call(task, args.filter((value) => value !== signal), listener, signal);
  }

  onCallEnded(): void {
    this.log.push("call ended");
  }

  onAnswered(): void {
    this.log.push("answered");
  }

  onFrame(kind: number, count: number, reader: ValueReader, byteLength: number): void {
    this.log.push([kind, count > 0 ? reader.read() : undefined, byteLength]);
  }

  onUnreadable(error: unknown): void {
    this.log.push(`unreadable: ${(error as Error).name}`);
  }
}

/** Passes messages on, both ways, until there are none. */
export function exchange(one: Side, other: Side): void {
  let count = 0;
  for (let before = -1; before !== count;) {
    before = count;
    for (const [from, to] of [[one, other], [other, one]]) {
      for (
        let message = from.transport.messages.shift();
        message;
        message = from.transport.messages.shift()
      ) {
        to.connection.receive(new DataView(message.buffer), 0, message.length);
        count++;
      }
      count += from.connection.sender.resume();
    }
  }
}
