// A futex that two processes wake each other with: `COUNT`. From before the word is set until the other, which slept for 3 ms, runs. Prints one JSON object.
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 10000, WARM_UP = 20 };

struct shared {
  // Whose turn it is.
  atomic_uint turn;
  double set_at;
  double waits[2][COUNT_MAX];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void exchange(struct shared *shared, unsigned self, int count) {
  for (int index = -WARM_UP; index < count; index++) {
    while (atomic_load(&shared->turn) != self) {
      syscall(SYS_futex, &shared->turn, FUTEX_WAIT, 1 - self, NULL, NULL, 0);
    }
    double waited = now() - shared->set_at;
    if (index >= 0) shared->waits[self][index] = waited;
    usleep(3000);
    shared->set_at = now();
    atomic_store(&shared->turn, 1 - self);
    syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
  }
}

static int compare(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int count = atoi(argv[1]);
  if (count < 1 || count > COUNT_MAX) return 2;
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  pid_t child = fork();
  if (child < 0) {
    perror("fork");
    return 1;
  }
  exchange(shared, child == 0, count);
  if (child == 0) _exit(0);
  wait(NULL);
  double *waits = malloc(2 * count * sizeof(double));
  for (int index = 0; index < 2 * count; index++) waits[index] = shared->waits[index / count][index % count];
  qsort(waits, 2 * count, sizeof(double), compare);
  printf("{\"p50Ns\":%f,\"p99Ns\":%f}\n", waits[count] * 1e9, waits[2 * count * 99 / 100] * 1e9);
  return 0;
}
