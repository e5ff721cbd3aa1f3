/** What one run of the model checker explores. Every feature is off unless its number is above zero. */
export interface Config {
  readonly slots: number;
  readonly producers: number;
  readonly consumers: number;
  /** How many messages each producer sends. */
  readonly messages: number;
  /** The last producer sends one message less. */
  readonly uneven: boolean;
  /** How many processes may die, each before any step of something it has begun. */
  readonly crashes: number;
  /** How many deliveries may be given back. */
  readonly nacks: number;
  /** Priorities, or partitions when `partitioned`; the dead-letter lane comes on top. */
  readonly lanes: number;
  readonly partitioned: boolean;
  /**
   * How one consumer gets the messages of a producer in their order, "" for not at all: "previous" follows each
   * message's reference to the one before; "generation" has hints name the generation of their slot; "recheck"
   * has neither. All but the first look at the hints once more after a scan.
   */
  readonly order: string;
  /** Deliveries before a message is dead-lettered; 0: there is no dead-letter lane. */
  readonly limit: number;
  /** How many new processes may attach under the index of a dead one. */
  readonly attaches: number;
  /** Every message is a request, and its sender waits for the reply. */
  readonly requests: boolean;
  /** How many requests may be given up. */
  readonly cancels: number;
  /** A consumer may acknowledge a request without a reply. */
  readonly drops: boolean;
  /** Whether replies that nobody waits for are looked for by whoever has nothing else to do. */
  readonly orphanScan: boolean;
  /** Mailbox buffers; every message then hands one over. */
  readonly boxes: number;
  /** Consumers sleep, and no time-out ever ends their sleep. */
  readonly wake: boolean;
  /** Whether everything must still work out when any one process is paused for ever. */
  readonly paused: boolean;
  /** A producer may take any FREE slot, not only the first. */
  readonly anySlot: boolean;
  /** The mistake that is built in, "" for none. */
  readonly mutant: string;
}

/** The smallest run: one of everything. */
export const DEFAULTS: Config = {
  slots: 1,
  producers: 1,
  consumers: 1,
  messages: 1,
  uneven: false,
  crashes: 0,
  nacks: 0,
  lanes: 1,
  partitioned: false,
  order: "",
  limit: 0,
  attaches: 0,
  requests: false,
  cancels: 0,
  drops: false,
  orphanScan: true,
  boxes: 0,
  wake: false,
  paused: true,
  anySlot: false,
  mutant: "",
};

/** The words of a command line: `--slots 2 --partitioned --mutant no-scan`. */
export function parseConfig(words: readonly string[]): Config {
  const config: Record<string, unknown> = { ...DEFAULTS };
  for (let at = 0; at < words.length; at++) {
    const negated = words[at].startsWith("--no-");
    const name = words[at].replace(/^--(no-)?/, "").replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    const standard = config[name];
    if (!words[at].startsWith("--") || standard === undefined) {
      throw new TypeError(`parse the command line: ${words[at]} is unknown, expected ${names().join(" ")}`);
    }
    if (typeof standard === "boolean") config[name] = !negated;
    else if (typeof standard === "string") config[name] = words[++at];
    else config[name] = Number(words[++at]);
  }
  return config as unknown as Config;
}

/** What differs from the smallest run, as a command line. */
export function describeConfig(config: Config): string {
  const standard = DEFAULTS as unknown as Record<string, unknown>;
  return Object.entries(config).flatMap(([name, value]) => {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === "boolean") {
      return value === standard[name] ? [] : [`--${value ? "" : "no-"}${option}`];
    }
    return value === standard[name] && !SIZES.includes(name) ? [] : [`--${option} ${value}`];
  }).join(" ");
}

const SIZES = ["slots", "producers", "consumers", "messages"];

function names(): string[] {
  return Object.keys(DEFAULTS).map((name) => `--${name.replace(/[A-Z]/g, (l) => `-${l.toLowerCase()}`)}`);
}
