import type { QueueGeometry } from "./layout.ts";

/**
 * A message's route: `flags: 8 │ requester: 8 │ sent to lane: 8 │ lane: 8`. The two lanes differ for a dead letter.
 */
export function routeOf(lane: number, requester: number, flags: number): number {
  return flags << 24 | requester << 16 | lane << 8 | lane;
}

/** The lane of a route; that of the dead letters when the route is damaged. */
export function laneOf(route: number, { laneCount }: QueueGeometry): number {
  return Math.min(route & 0xff, laneCount);
}

/** The lane that the message was sent to. */
export function sentLaneOf(route: number): number {
  return route >>> 8 & 0xff;
}

/** Number of the participant that waits for the reply. */
export function requesterOf(route: number): number {
  return route >>> 16 & 0xff;
}

/** The flags of a route; see `FLAG`. */
export function flagsOf(route: number): number {
  return route >>> 24;
}

/** The same route, in another lane. */
export function inLane(route: number, lane: number): number {
  return route & ~0xff | lane;
}
