/** Structures that requests point to, written to memory whose address the kernel gets. */
import { PinnedMemory } from "./pinned_memory.ts";
import { encodeSocketAddress, type SocketAddress } from "./socket_address.ts";
import { MSGHDR_BYTES } from "./uring_layout.ts";

/** Writes a socket address at `offset` of `memory`; returns its length. */
export function writeSocketAddress(memory: PinnedMemory, offset: number, address: SocketAddress): number {
  return encodeSocketAddress(address, memory.bytes.subarray(offset));
}

/** Writes an iovec at `at` of `table` that refers to `byteLength` bytes from `offset` of `memory`. */
export function writeVector(
  table: PinnedMemory,
  at: number,
  memory: PinnedMemory,
  offset: number,
  byteLength: number,
): void {
  const view = new DataView(table.bytes.buffer);
  view.setBigUint64(at, BigInt(PinnedMemory.addressOf(memory, offset)), true);
  view.setBigUint64(at + 8, BigInt(byteLength), true);
}

/** Places of the parts of one datagram in pinned memory. */
export interface MessageParts {
  readonly addressOffset: number;
  readonly addressByteLength: number;
  readonly vectorOffset: number;
  readonly dataOffset: number;
  readonly dataByteLength: number;
}

/** Writes a message header at `at`, and its one vector, for a datagram laid out in the same memory. */
export function writeMessageHeader(memory: PinnedMemory, at: number, parts: MessageParts): void {
  writeVector(memory, parts.vectorOffset, memory, parts.dataOffset, parts.dataByteLength);
  const view = new DataView(memory.bytes.buffer);
  view.setBigUint64(at, BigInt(PinnedMemory.addressOf(memory, parts.addressOffset)), true);
  view.setBigUint64(at + 8, BigInt(parts.addressByteLength), true);
  view.setBigUint64(at + 16, BigInt(PinnedMemory.addressOf(memory, parts.vectorOffset)), true);
  view.setBigUint64(at + 24, 1n, true);
  for (let offset = 32; offset < MSGHDR_BYTES; offset += 8) view.setBigUint64(at + offset, 0n, true);
}

/** Length of the address the kernel wrote for a message header at `at`. */
export function messageAddressLength(memory: PinnedMemory, at: number): number {
  return new DataView(memory.bytes.buffer).getUint32(at + 8, true);
}
