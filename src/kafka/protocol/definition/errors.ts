import type { VersionRange } from "./versions.ts";

/** What was to be read or written does not exist in that version: of a message, or of one field of it. */
export class UnsupportedVersionError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "UnsupportedVersionError";
  /** `ProduceRequest`, or a field of it: `ProduceRequest.transactionalId`. */
  readonly subject: string;
  /** The version that was asked for. */
  readonly version: number;

  /** Says what `subject` was to be in `version`, and what would have been right. */
  constructor(subject: string, version: number, found: string, expected: string) {
    super(`${subject}: ${found} in version ${version}, expected ${expected}`);
    this.subject = subject;
    this.version = version;
  }

  /** A message has no such version. */
  static ofMessage(name: string, version: number, versions: VersionRange): UnsupportedVersionError {
    return new UnsupportedVersionError(
      name,
      version,
      "no such message",
      `a version from ${versions.min} to ${versions.max}`,
    );
  }
}
