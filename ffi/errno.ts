/** Error numbers of Linux as the errors Deno users catch. */

/** An error of the operating system: one of `Deno.errors.*`, with the operation and the symbolic code. */
export interface SystemError extends Error {
  /** What was attempted, e.g. `"connect"`. */
  readonly operation: string;
  /** Symbolic name, e.g. `"ECONNREFUSED"`; `"ERRNO_<n>"` when unknown. */
  readonly code: string;
  /** The number itself, positive. */
  readonly errno: number;
}

type ErrorClass = new (message: string) => Error;
type Entry = readonly [code: string, text: string, errorClass: ErrorClass];

export const EPERM = 1;
export const EINTR = 4;
export const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
export const EBUSY = 16;
export const EINVAL = 22;
export const EMFILE = 24;
export const ENOSPC = 28;
export const EPIPE = 32;
export const ENOSYS = 38;
export const ETIME = 62;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;
export const ECANCELED = 125;

const { errors } = Deno;

// deno-fmt-ignore
const TABLE: Readonly<Record<number, Entry>> = {
  1: ["EPERM", "operation not permitted", errors.PermissionDenied],
  2: ["ENOENT", "no such file or directory", errors.NotFound],
  4: ["EINTR", "interrupted", errors.Interrupted],
  5: ["EIO", "input/output error", Error],
  6: ["ENXIO", "nothing can be opened there: it is a socket, or a device that is missing", errors.NotSupported],
  9: ["EBADF", "bad descriptor: it is closed", errors.BadResource],
  11: ["EAGAIN", "not ready", errors.WouldBlock],
  12: ["ENOMEM", "out of memory, or over the limit of locked memory", Error],
  13: ["EACCES", "permission denied", errors.PermissionDenied],
  14: ["EFAULT", "bad address", Error],
  16: ["EBUSY", "busy", errors.Busy],
  17: ["EEXIST", "exists already", errors.AlreadyExists],
  19: ["ENODEV", "the device or the file system does not offer that", errors.NotSupported],
  20: ["ENOTDIR", "a part of the path is not a directory", errors.NotADirectory],
  21: ["EISDIR", "is a directory", errors.IsADirectory],
  22: ["EINVAL", "invalid argument", errors.InvalidData],
  23: ["ENFILE", "the system has too many open files", Error],
  24: ["EMFILE", "this process has too many open files (see `ulimit -n`)", Error],
  26: ["ETXTBSY", "the file is being executed", errors.Busy],
  27: ["EFBIG", "the file would become too large", Error],
  28: ["ENOSPC", "no space left on the device", Error],
  29: ["ESPIPE", "not seekable", Error],
  30: ["EROFS", "the file system is read-only", errors.PermissionDenied],
  32: ["EPIPE", "the other side has closed", errors.BrokenPipe],
  36: ["ENAMETOOLONG", "the name is too long", errors.InvalidData],
  37: ["ENOLCK", "no locks are available", errors.NotSupported],
  38: ["ENOSYS", "this kernel, or a sandbox around this process, does not offer the call", errors.NotSupported],
  40: ["ELOOP", "too many symbolic links", errors.FilesystemLoop],
  62: ["ETIME", "the timeout has passed", errors.TimedOut],
  90: ["EMSGSIZE", "the message is too long", errors.InvalidData],
  95: ["EOPNOTSUPP", "not supported", errors.NotSupported],
  97: ["EAFNOSUPPORT", "this address family is not available", errors.NotSupported],
  98: ["EADDRINUSE", "the address is in use", errors.AddrInUse],
  99: ["EADDRNOTAVAIL", "the address is not one of this machine's", errors.AddrNotAvailable],
  100: ["ENETDOWN", "the network is down", errors.NetworkUnreachable],
  101: ["ENETUNREACH", "the network is unreachable", errors.NetworkUnreachable],
  103: ["ECONNABORTED", "the connection was aborted", errors.ConnectionAborted],
  104: ["ECONNRESET", "the connection was reset by the other side", errors.ConnectionReset],
  105: ["ENOBUFS", "no buffer is free", Error],
  106: ["EISCONN", "connected already", errors.AlreadyExists],
  107: ["ENOTCONN", "not connected", errors.NotConnected],
  110: ["ETIMEDOUT", "the other side did not respond in time", errors.TimedOut],
  111: ["ECONNREFUSED", "no socket listens on the address", errors.ConnectionRefused],
  113: ["EHOSTUNREACH", "the host is unreachable", errors.NetworkUnreachable],
  122: ["EDQUOT", "no space left in the quota", Error],
  125: ["ECANCELED", "cancelled", errors.Interrupted],
  131: ["ENOTRECOVERABLE", "the native library failed (a bug: please report it)", Error],
};

const SHARED_MEMORY_FULL =
  "/dev/shm, or the disk of its directory, is too small or full: ask for less, remove what is there, or make it " +
  "larger (/dev/shm in a container by --shm-size)";
const FILE_TOO_LARGE = "ask for less, or raise the limit of file sizes (`ulimit -f`)";
const NOT_SYNCED = "what was written since the last sync may be lost, also when a later one succeeds";
const FILE_SYSTEM =
  "the likely cause is the file system: shared memory needs a local one, such as ext4, XFS or tmpfs";

/** What an error number means for a particular operation: the likely cause, and the remedy. */
const HINTS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "io_uring_setup": {
    1: "the likely cause is a container profile (Docker, containerd and Kubernetes refuse io_uring by default) or " +
      "/proc/sys/kernel/io_uring_disabled",
    12: "raise the limit of locked memory (`ulimit -l`)",
    38: "the kernel is older than 5.1, or a sandbox hides io_uring",
  },
  "create shared memory": { 2: "its directory is not there, and has to be made first" },
  "open shared memory": {
    2: "there is no such region, or no such directory",
    40: "a symbolic link is no region",
  },
  "reserve shared memory": { 22: FILE_SYSTEM, 27: FILE_TOO_LARGE, 28: SHARED_MEMORY_FULL, 95: FILE_SYSTEM },
  "write shared memory": { 27: FILE_TOO_LARGE, 28: SHARED_MEMORY_FULL },
  "sync shared memory": { 5: NOT_SYNCED, 28: NOT_SYNCED, 122: NOT_SYNCED },
  "mmap": { 19: FILE_SYSTEM },
  "lock a byte": { 22: FILE_SYSTEM, 37: FILE_SYSTEM, 38: FILE_SYSTEM, 95: FILE_SYSTEM },
  "bind": { 13: "ports below 1024 need privileges" },
};

/**
 * The error for `errno` (positive) of `operation`; `detail` says on what object, e.g. an address or a path. `title` replaces the whole of that
 * in the message.
 */
export function systemError(
  operation: string,
  errno: number,
  detail = "",
  title: string = detail === "" ? operation : `${operation} ${detail}`,
): SystemError {
  const [code, text, errorClass] = TABLE[errno] ?? [`ERRNO_${errno}`, `error ${errno}`, Error];
  const hint = HINTS[operation]?.[errno];
  const error = new errorClass(`${title}: ${text} (${code})${hint === undefined ? "" : `; ${hint}`}`);
  return Object.assign(error, { operation, code, errno });
}

/** The number of a symbolic name such as `"ECONNREFUSED"`. */
export function errnoOf(code: string): number | undefined {
  for (const [errno, [name]] of Object.entries(TABLE)) if (name === code) return Number(errno);
  return undefined;
}

/**
 * An error of Deno's or Node's API in the same form: by its code where that is known, else unchanged, with the operation
 * added.
 */
export function asSystemError(operation: string, error: unknown, detail = ""): Error {
  if (!(error instanceof Error)) return new Error(`${operation}: ${String(error)}`);
  const code = "code" in error ? String(error.code) : "";
  const errno = errnoOf(code);
  if (errno !== undefined) return systemError(operation, errno, detail);
  return Object.assign(error, { operation });
}

/** Returns `result`, or throws the error of a negative one. */
export function check(result: number, operation: string, detail?: string): number {
  if (result < 0) throw systemError(operation, -result, detail);
  return result;
}
