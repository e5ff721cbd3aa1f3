/**
 * What survives a supervisor that is killed, for a moment: a shell that waits for the end of a stream, then kills the process
 * groups that are left, and removes the supervisor's files.
 *
 * The parent-death signal reaches direct children only, needs the native library, and removes no files.
 */
export const GUARD_PROGRAM = "/bin/sh";

/**
 * A file in the supervisor's directory that is made when all its sockets are there: a newer file belongs to another process. The number of a
 * file alone does not tell, because the system gives it to the next one that is made.
 */
export const GUARD_MARK = "made";

/** A socket that is to be removed when its file is still this one. */
export interface GuardedSocket {
  /** Its path. */
  readonly path: string;
  /** Its number in its file system. */
  readonly inode: number;
}

/**
 * Lines `+ GROUP` and `- GROUP` come on standard input, or on descriptor 3 when `$1` says so. `$2` is a directory of files; what
 * follows are paths and numbers of sockets.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2 PIPE
[ "$1" = 3 ] && exec <&3 3<&-
exec >/dev/null 2>&1
groups=
while read -r change group; do
  case $change in
    +) groups="$groups $group" ;;
    -)
      left=
      for one in $groups; do [ "$one" = "$group" ] || left="$left $one"; done
      groups=$left
      ;;
  esac
done
for one in $groups; do kill -9 "-$one"; done
directory=$2
shift 2
while [ $# -ge 2 ]; do
  number=$(ls -di -- "$1")
  number=\${number#"\${number%%[0-9]*}"}
  [ "\${number%% *}" = "$2" ] && ! [ "$1" -nt "$directory/${GUARD_MARK}" ] && rm -f -- "$1"
  shift 2
done
rm -rf -- "$directory"
`;

/** The arguments of {@linkcode GUARD_PROGRAM}; `descriptor` is where it reads, 0 or 3. */
export function guardArguments(
  descriptor: 0 | 3,
  directory: string,
  sockets: readonly GuardedSocket[],
): string[] {
  const pairs = sockets.flatMap(({ path, inode }) => [path, String(inode)]);
  return ["-c", SCRIPT, "millrace-guard", String(descriptor), directory, ...pairs];
}
