/*
 * pin CORE COMMAND [ARGUMENT…]: runs the command on one core, in place of this process.
 * Stands in for taskset where util-linux is not installed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count < 3) {
    fputs("usage: pin CORE COMMAND [ARGUMENT...]\n", stderr);
    return 2;
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(atoi(arguments[1]), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) {
    fprintf(stderr, "pin: core %s: %s\n", arguments[1], strerror(errno));
    return 1;
  }
  execvp(arguments[2], arguments + 2);
  fprintf(stderr, "pin: %s: %s\n", arguments[2], strerror(errno));
  return 127;
}
