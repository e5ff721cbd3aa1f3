// Generated from native/src/layouts.rs by `deno task bindings`; do not edit.

/** A number of all names and values below; the library says its own when it is loaded. */
export const LAYOUT_HASH = 2869930410;

/**
 * Words of the state that one participant of a queue shares with native code: constant places, in bytes from the region's start, and the
 * participant's progress. After the words comes a byte for each slot: 1 where the participant has the message in it, and knows so.
 */
export const QUEUE_STATE = {
  capacity: 0,
  number: 1,
  slotsAt: 2,
  recordsAt: 3,
  recordBytes: 4,
  lanesAt: 5,
  laneBytes: 6,
  cellsAt: 7,
  cellCount: 8,
  countersAt: 9,
  itemsAt: 10,
  roomAt: 11,
  deliveryCountMax: 12,
  messageBytesMax: 13,
  laneCount: 14,
  /** Bytes of the memory that messages are copied to. */
  dataBytes: 15,
  session: 16,
  sequence: 17,
  cursor: 18,
  /** Two words: a float64. */
  lastMs: 20,
  /** Two words for each of 64 lanes: slot, counted from 1, and generation of the last message that was sent to it. */
  previous: 32,
  /** How many words there are, all lanes included. */
  words: 160,
} as const;

/** Words that native code writes for a received message. */
export const QUEUE_RECEIVED = {
  slot: 0,
  session: 1,
  sequence: 2,
  deliveryCount: 3,
  route: 4,
  /** All ones (-1): the message is reserved, and the caller has to do the rest. */
  byteLength: 5,
  /** Two words: a float64. */
  sentMs: 6,
  /** Where its bytes are in the given memory. */
  dataAt: 8,
  /** How many words each message takes: an even number, for the float64. */
  words: 10,
} as const;

/** Words of the record of a queue's slot. */
export const QUEUE_RECORD = {
  byteLength: 0,
  deliveryCount: 1,
  sequence: 2,
  session: 3,
  route: 4,
  box: 5,
  boxGeneration: 6,
  /** Of a reply without a box: the previous slot in the list of its requester, from 1. */
  nextReplied: 6,
  previousSlot: 7,
  sentMs: 8,
  expiresMs: 10,
  requestSession: 12,
  cancelled: 13,
  checksum: 14,
  previousGeneration: 15,
  /** Bytes of a record before the message. */
  headerBytes: 64,
} as const;

/** Bits of the flags of a queue's record. */
export const QUEUE_FLAG = {
  compressed: 1,
  request: 2,
  failed: 4,
} as const;

/** Counters of a queue's participant, each a float64. */
export const QUEUE_COUNTER = {
  sent: 0,
  received: 1,
  redelivered: 2,
  givenBack: 3,
  expired: 4,
  dropped: 5,
  deadLettered: 6,
  damaged: 7,
} as const;

/** Words of a queue's lane. */
export const QUEUE_LANE = {
  head: 0,
  tail: 32,
  owner: 64,
} as const;

/** Phases of a queue's slot. */
export const QUEUE_PHASE = {
  free: 0,
  writing: 1,
  ready: 2,
  reserved: 3,
  replied: 4,
} as const;

/** Where the parts of a slot's word are: owner, phase, generation, from the lowest bit up. */
export const QUEUE_SLOT = {
  ownerMask: 255,
  phaseShift: 8,
  phaseMask: 7,
  generationShift: 11,
} as const;

/** Where the parts of a hint are: slot, whether the cell is full, lap, from the lowest bit up. */
export const QUEUE_HINT = {
  slotMask: 65535,
  full: 65536,
  lapShift: 17,
  lapMask: 32767,
} as const;

/** Words of the table that a recovery check works from while a participant sleeps. Places are in bytes from the region's start. */
export const RECOVERY_CHECK_TABLE = {
  /** The participant that sleeps. */
  number: 0,
  participantsAt: 1,
  participantBytes: 2,
  participantCount: 3,
  /** Byte of the region's file whose lock belongs to participant 0. */
  locksAt: 4,
  /** What to check for besides dead participants, one of `RECOVERY_CHECKS_FOR`. The words from here to `END_LANE` serve that. */
  checksFor: 5,
  capacity: 6,
  slotsAt: 7,
  recordsAt: 8,
  recordBytes: 9,
  lanesAt: 10,
  laneBytes: 11,
  laneCount: 12,
  /** The lanes whose messages count: from this one up to, but not including, the next. */
  firstLane: 13,
  endLane: 14,
  /** Word with the time of the last check for dead participants by any of them, in milliseconds of the monotonic clock. */
  checkedAt: 15,
  /** How many words there are. */
  words: 16,
} as const;

/** What a recovery check looks for besides dead participants: a change whose notification was lost. */
export const RECOVERY_CHECKS_FOR = {
  nothing: 0,
  /** Messages of certain lanes that can be received. */
  messages: 1,
  /** A free slot, or one whose message has expired. */
  room: 2,
} as const;

/** How a wait that a native thread did has ended: a byte on a socket. */
export const WATCH_RESULT = {
  woken: 1,
  changed: 2,
  timedOut: 3,
} as const;

/** Words before the records of parsed HTTP heads. */
export const HEAD_SUMMARY = {
  consumed: 0,
  rejected: 1,
  used: 2,
  /** How many words there are before the first record. */
  words: 4,
} as const;

/** Words of the record of a parsed HTTP head. */
export const HEAD_RECORD = {
  start: 0,
  end: 1,
  flags: 2,
  method: 3,
  methodLength: 4,
  targetStart: 5,
  targetLength: 6,
  contentLengthLow: 7,
  contentLengthHigh: 8,
  headerCount: 9,
  hostStart: 10,
  hostLength: 11,
  /** How many words there are before the header fields. */
  words: 12,
  /** Words of a header field: start and length of its name, start and length of its value. */
  headerWords: 4,
} as const;

/** Bits of the flags of a parsed HTTP head. */
export const HEAD_FLAG = {
  http11: 1,
  keepAlive: 2,
  chunked: 4,
  hasLength: 8,
  expectContinue: 16,
} as const;

/** Limits of HTTP heads that both parsers enforce. */
export const HEAD_LIMIT = {
  /** Header fields of one request at most; more are rejected with 431. */
  headersMax: 100,
  /** Empty lines tolerated before a request line. */
  leadingEmptyLinesMax: 4,
  /** Room for method and version when a request line without end is measured. */
  lineSlackBytes: 64,
  /** Longer methods are rejected with 501. */
  methodBytesMax: 32,
  /** Digits of a Content-Length; longer ones are rejected with 413. */
  lengthDigitsMax: 15,
} as const;

/** Words of a request to start a process; the descriptors follow. */
export const SPAWN_REQUEST = {
  flags: 0,
  /** The descriptor that gets its process group, or -1. */
  guard: 1,
  argumentCount: 2,
  variableCount: 3,
  descriptorCount: 4,
  /** How many words there are before the descriptors. */
  words: 5,
} as const;

/** Bits of the flags of a request to start a process. */
export const SPAWN_FLAG = {
  clearEnvironment: 1,
  pipes: 2,
  listenPid: 4,
  control: 8,
  survives: 16,
} as const;

/** The step between fork and exec that failed. */
export const SPAWN_STEP = {
  /** Before fork. */
  prepare: 0,
  descriptors: 1,
  directory: 2,
  exec: 3,
} as const;

/** Frames of the events of a process: the kind, three zeroes, and a number, little-endian; the text of a notification follows. */
export const CHILD_FRAME = {
  notify: 1,
  exit: 2,
  /** Bytes of a frame. */
  bytes: 8,
} as const;

/** Bytes of an address that a host name was resolved to: 4 or 6, and room for either address. */
export const RESOLVED_ADDRESS = {
  bytes: 17,
} as const;

/** Upper half of the user data of io_uring requests. */
export const USER_DATA_TAG = {
  /** Its result is a descriptor, which native code closes when its thread has ended before it was taken. */
  descriptor: 1,
} as const;
