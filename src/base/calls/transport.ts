/** Where messages are written: a ring's producer, or the like. */
export interface MessageWriter {
  /** The longest message in bytes, a multiple of 8. */
  readonly messageBytesMax: number;
  /** The memory that messages are written into, while they are claimed. */
  readonly bytes: Uint8Array;
  /** The same. */
  readonly view: DataView;
  /** Makes room for a message; returns where it begins, or -1 when there is none. */
  tryClaim(byteLength: number): number;
  /** Sends what was claimed, or the first `byteLength` bytes of it. */
  commit(byteLength: number): void;
}

/** A way for messages to another side, in their order. */
export interface Transport {
  readonly writer: MessageWriter;
  /** Has the other side see what was committed, now or by the end of the turn. */
  flush(): void;
  /**
   * A message of `byteLength` bytes found no room: from now on `FrameSender.resume()` is called when there may be some. False when there is
   * some already; never for one that has ended.
   */
  awaitRoom(byteLength: number): boolean;
}
