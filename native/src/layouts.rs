//! Every number that this library and its TypeScript side must agree on: written here, and nowhere else.
//!
//! `deno task bindings` prints it as `ffi/layouts.ts`. [`HASH`] is a hash of all names and values; the TypeScript side has the one that it
//! was printed with, and refuses a library that has another.

use crate::boundary::guard;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;

/// Named numbers that belong together: the words of a structure, the bits of a set of flags.
pub struct Layout {
    /// In TypeScript.
    pub name: &'static str,
    pub comment: &'static str,
    pub fields: &'static [Field],
}

/// One number.
pub struct Field {
    /// As a Rust constant; TypeScript has the same in camel case.
    pub name: &'static str,
    pub comment: &'static str,
    pub value: i64,
}

macro_rules! layouts {
    ($(
        $(#[doc = $comment:literal])*
        $name:ident = mod $module:ident: $type:ty {
            $($(#[doc = $field_comment:literal])* $field:ident = $value:expr,)*
        }
    )*) => {
        $(
            $(#[doc = $comment])*
            pub mod $module {
                $($(#[doc = $field_comment])* pub const $field: $type = $value;)*
            }
        )*

        /// All of them, for the program that prints them.
        pub const LAYOUTS: &[Layout] = &[$(
            Layout {
                name: stringify!($name),
                comment: concat!($($comment, "\n"),*),
                fields: &[$(
                    Field {
                        name: stringify!($field),
                        comment: concat!($($field_comment, "\n"),*),
                        value: $module::$field as i64,
                    },
                )*],
            },
        )*];
    };
}

layouts! {
    /// Words of the state that one participant of a queue shares with native code: constant places, in bytes from the region's start, and the
    /// participant's progress. After the words comes a byte for each slot: 1 where the participant has the message in it, and knows so.
    QUEUE_STATE = mod queue_state: usize {
        CAPACITY = 0,
        NUMBER = 1,
        SLOTS_AT = 2,
        RECORDS_AT = 3,
        RECORD_BYTES = 4,
        LANES_AT = 5,
        LANE_BYTES = 6,
        CELLS_AT = 7,
        CELL_COUNT = 8,
        COUNTERS_AT = 9,
        ITEMS_AT = 10,
        ROOM_AT = 11,
        DELIVERY_COUNT_MAX = 12,
        MESSAGE_BYTES_MAX = 13,
        LANE_COUNT = 14,
        /// Bytes of the memory that messages are copied to.
        DATA_BYTES = 15,
        SESSION = 16,
        SEQUENCE = 17,
        CURSOR = 18,
        /// Two words: a float64.
        LAST_MS = 20,
        /// Two words for each of 64 lanes: slot, counted from 1, and generation of the last message that was sent to it.
        PREVIOUS = 32,
        /// How many words there are, all lanes included.
        WORDS = 160,
    }

    /// Words that native code writes for a received message.
    QUEUE_RECEIVED = mod queue_received: usize {
        SLOT = 0,
        SESSION = 1,
        SEQUENCE = 2,
        DELIVERY_COUNT = 3,
        ROUTE = 4,
        /// All ones (-1): the message is reserved, and the caller has to do the rest.
        BYTE_LENGTH = 5,
        /// Two words: a float64.
        SENT_MS = 6,
        /// Where its bytes are in the given memory.
        DATA_AT = 8,
        /// How many words each message takes: an even number, for the float64.
        WORDS = 10,
    }

    /// Words of the record of a queue's slot.
    QUEUE_RECORD = mod queue_record: usize {
        BYTE_LENGTH = 0,
        DELIVERY_COUNT = 1,
        SEQUENCE = 2,
        SESSION = 3,
        ROUTE = 4,
        BOX = 5,
        BOX_GENERATION = 6,
        /// Of a reply without a box: the previous slot in the list of its requester, from 1.
        NEXT_REPLIED = 6,
        PREVIOUS_SLOT = 7,
        SENT_MS = 8,
        EXPIRES_MS = 10,
        REQUEST_SESSION = 12,
        CANCELLED = 13,
        CHECKSUM = 14,
        PREVIOUS_GENERATION = 15,
        /// Bytes of a record before the message.
        HEADER_BYTES = 64,
    }

    /// Bits of the flags of a queue's record.
    QUEUE_FLAG = mod queue_flag: u32 {
        COMPRESSED = 1,
        REQUEST = 2,
        FAILED = 4,
    }

    /// Counters of a queue's participant, each a float64.
    QUEUE_COUNTER = mod queue_counter: usize {
        SENT = 0,
        RECEIVED = 1,
        REDELIVERED = 2,
        GIVEN_BACK = 3,
        EXPIRED = 4,
        DROPPED = 5,
        DEAD_LETTERED = 6,
        DAMAGED = 7,
    }

    /// Words of a queue's lane.
    QUEUE_LANE = mod queue_lane: usize {
        HEAD = 0,
        TAIL = 32,
        OWNER = 64,
    }

    /// Phases of a queue's slot.
    QUEUE_PHASE = mod queue_phase: u32 {
        FREE = 0,
        WRITING = 1,
        READY = 2,
        RESERVED = 3,
        REPLIED = 4,
    }

    /// Where the parts of a slot's word are: owner, phase, generation, from the lowest bit up.
    QUEUE_SLOT = mod queue_slot: u32 {
        OWNER_MASK = 0xff,
        PHASE_SHIFT = 8,
        PHASE_MASK = 7,
        GENERATION_SHIFT = 11,
    }

    /// Where the parts of a hint are: slot, whether the cell is full, lap, from the lowest bit up.
    QUEUE_HINT = mod queue_hint: u32 {
        SLOT_MASK = 0xffff,
        FULL = 0x1_0000,
        LAP_SHIFT = 17,
        LAP_MASK = 0x7fff,
    }

    /// Words of the table that a recovery check works from while a participant sleeps. Places are in bytes from the region's start.
    RECOVERY_CHECK_TABLE = mod recovery_check_table: usize {
        /// The participant that sleeps.
        NUMBER = 0,
        PARTICIPANTS_AT = 1,
        PARTICIPANT_BYTES = 2,
        PARTICIPANT_COUNT = 3,
        /// Byte of the region's file whose lock belongs to participant 0.
        LOCKS_AT = 4,
        /// What to check for besides dead participants, one of `RECOVERY_CHECKS_FOR`. The words from here to `END_LANE` serve that.
        CHECKS_FOR = 5,
        CAPACITY = 6,
        SLOTS_AT = 7,
        RECORDS_AT = 8,
        RECORD_BYTES = 9,
        LANES_AT = 10,
        LANE_BYTES = 11,
        LANE_COUNT = 12,
        /// The lanes whose messages count: from this one up to, but not including, the next.
        FIRST_LANE = 13,
        END_LANE = 14,
        /// Word with the time of the last check for dead participants by any of them, in milliseconds of the monotonic clock.
        CHECKED_AT = 15,
        /// How many words there are.
        WORDS = 16,
    }

    /// What a recovery check looks for besides dead participants: a change whose notification was lost.
    RECOVERY_CHECKS_FOR = mod recovery_checks_for: u32 {
        NOTHING = 0,
        /// Messages of certain lanes that can be received.
        MESSAGES = 1,
        /// A free slot, or one whose message has expired.
        ROOM = 2,
    }

    /// How a wait that a native thread did has ended: a byte on a socket.
    WATCH_RESULT = mod watch_result: u8 {
        WOKEN = 1,
        CHANGED = 2,
        TIMED_OUT = 3,
    }

    /// Words before the records of parsed HTTP heads.
    HEAD_SUMMARY = mod head_summary: usize {
        CONSUMED = 0,
        REJECTED = 1,
        USED = 2,
        /// How many words there are before the first record.
        WORDS = 4,
    }

    /// Words of the record of a parsed HTTP head.
    HEAD_RECORD = mod head_record: usize {
        START = 0,
        END = 1,
        FLAGS = 2,
        METHOD = 3,
        METHOD_LENGTH = 4,
        TARGET_START = 5,
        TARGET_LENGTH = 6,
        CONTENT_LENGTH_LOW = 7,
        CONTENT_LENGTH_HIGH = 8,
        HEADER_COUNT = 9,
        HOST_START = 10,
        HOST_LENGTH = 11,
        /// How many words there are before the header fields.
        WORDS = 12,
        /// Words of a header field: start and length of its name, start and length of its value.
        HEADER_WORDS = 4,
    }

    /// Bits of the flags of a parsed HTTP head.
    HEAD_FLAG = mod head_flag: i32 {
        HTTP_11 = 1,
        KEEP_ALIVE = 2,
        CHUNKED = 4,
        HAS_LENGTH = 8,
        EXPECT_CONTINUE = 16,
    }

    /// Limits of HTTP heads that both parsers enforce.
    HEAD_LIMIT = mod head_limit: usize {
        /// Header fields of one request at most; more are rejected with 431.
        HEADERS_MAX = 100,
        /// Empty lines tolerated before a request line.
        LEADING_EMPTY_LINES_MAX = 4,
        /// Room for method and version when a request line without end is measured.
        LINE_SLACK_BYTES = 64,
        /// Longer methods are rejected with 501.
        METHOD_BYTES_MAX = 32,
        /// Digits of a Content-Length; longer ones are rejected with 413.
        LENGTH_DIGITS_MAX = 15,
    }

    /// Words of a request to start a process; the descriptors follow.
    SPAWN_REQUEST = mod spawn_request: usize {
        FLAGS = 0,
        /// The descriptor that gets its process group, or -1.
        GUARD = 1,
        ARGUMENT_COUNT = 2,
        VARIABLE_COUNT = 3,
        DESCRIPTOR_COUNT = 4,
        /// How many words there are before the descriptors.
        WORDS = 5,
    }

    /// Bits of the flags of a request to start a process.
    SPAWN_FLAG = mod spawn_flag: i32 {
        CLEAR_ENVIRONMENT = 1,
        PIPES = 2,
        LISTEN_PID = 4,
        CONTROL = 8,
        SURVIVES = 16,
    }

    /// The step between fork and exec that failed.
    SPAWN_STEP = mod spawn_step: i32 {
        /// Before fork.
        PREPARE = 0,
        DESCRIPTORS = 1,
        DIRECTORY = 2,
        EXEC = 3,
    }

    /// Frames of the events of a process: the kind, three zeroes, and a number, little-endian; the text of a notification follows.
    CHILD_FRAME = mod child_frame: u8 {
        NOTIFY = 1,
        EXIT = 2,
        /// Bytes of a frame.
        BYTES = 8,
    }

    /// Bytes of an address that a host name was resolved to: 4 or 6, and room for either address.
    RESOLVED_ADDRESS = mod resolved_address: usize {
        BYTES = 17,
    }

    /// Upper half of the user data of io_uring requests.
    USER_DATA_TAG = mod user_data_tag: u32 {
        /// Its result is a descriptor, which native code closes when its thread has ended before it was taken.
        DESCRIPTOR = 1,
    }
}

/// Changes with any name or value: FNV-1a over all of them.
pub const HASH: u32 = hash(LAYOUTS);

const fn hash(layouts: &[Layout]) -> u32 {
    let mut hash = 0x811c_9dc5;
    let mut index = 0;
    while index < layouts.len() {
        hash = hash_bytes(hash, layouts[index].name.as_bytes());
        let fields = layouts[index].fields;
        let mut field = 0;
        while field < fields.len() {
            hash = hash_bytes(hash, fields[field].name.as_bytes());
            hash = hash_bytes(hash, &fields[field].value.to_le_bytes());
            field += 1;
        }
        index += 1;
    }
    hash
}

const fn hash_bytes(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
}

/// Writes [`HASH`] to `out`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_layout_hash(out: *mut u32) -> i32 {
    guard(|| {
        *out = HASH;
        Ok(0)
    })
}
