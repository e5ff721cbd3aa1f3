// POSIX message queues between processes: `throughput BYTES PAIRS`, `wake BYTES COUNT` or `request BYTES COUNT`. Prints one JSON object.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TOTAL = 1000000, PAIRS_MAX = 8, WAKE_MAX = 10000 };

struct shared {
  double first[PAIRS_MAX], last[PAIRS_MAX];
  double waits[WAKE_MAX];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static mqd_t open_queue(const char *name, long bytes) {
  // As many as the other queues hold, where this user may.
  for (long count = 1024; count >= 10; count = count > 10 ? 10 : 0) {
    struct mq_attr attributes = {.mq_maxmsg = count, .mq_msgsize = bytes};
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue != (mqd_t)-1) return queue;
    if (errno != EINVAL && errno != EMFILE) break;
  }
  fail("mq_open");
  return (mqd_t)-1;
}

static void consume(mqd_t queue, long bytes, double *first, double *last) {
  char *message = malloc(bytes);
  *first = 0;
  for (;;) {
    if (mq_receive(queue, message, bytes, NULL) < 0) fail("mq_receive");
    if (message[0] == 2) break;
    *last = now();
    if (*first == 0) *first = *last;
  }
  exit(0);
}

static void produce(mqd_t queue, long bytes, int count) {
  char *message = calloc(1, bytes);
  message[0] = 1;
  for (int index = 0; index < count; index++) {
    if (mq_send(queue, message, bytes, 0) < 0) fail("mq_send");
  }
  exit(0);
}

static double cpu_of_children(void) {
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void throughput(mqd_t queue, struct shared *shared, long bytes, int pairs) {
  for (int index = 0; index < pairs; index++) {
    if (fork() == 0) consume(queue, bytes, &shared->first[index], &shared->last[index]);
  }
  pid_t producers[PAIRS_MAX];
  for (int index = 0; index < pairs; index++) {
    producers[index] = fork();
    if (producers[index] == 0) produce(queue, bytes, TOTAL / pairs);
  }
  for (int index = 0; index < pairs; index++) waitpid(producers[index], NULL, 0);
  char *end = calloc(1, bytes);
  end[0] = 2;
  for (int index = 0; index < pairs; index++) mq_send(queue, end, bytes, 0);
  while (wait(NULL) > 0) {}
  double first = 1e300, last = 0;
  for (int index = 0; index < pairs; index++) {
    if (shared->first[index] > 0 && shared->first[index] < first) first = shared->first[index];
    if (shared->last[index] > last) last = shared->last[index];
  }
  printf("{\"messagesPerSecond\":%f,\"cpuNsPerMessage\":%f}\n", TOTAL / (last - first), cpu_of_children() / TOTAL * 1e9);
}

static int compare(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void print_waits(double *waits, int count);

static void request(mqd_t queue, mqd_t replies, struct shared *shared, long bytes, int count) {
  char *message = calloc(1, bytes);
  pid_t child = fork();
  if (child == 0) {
    for (;;) {
      if (mq_receive(queue, message, bytes, NULL) < 0) fail("mq_receive");
      if (mq_send(replies, message, bytes, 0) < 0) fail("mq_send");
    }
  }
  for (int index = -count; index < count; index++) {
    double sent = now();
    if (mq_send(queue, message, bytes, 0) < 0) fail("mq_send");
    if (mq_receive(replies, message, bytes, NULL) < 0) fail("mq_receive");
    if (index >= 0) shared->waits[index] = now() - sent;
  }
  kill(child, SIGKILL);
  wait(NULL);
  print_waits(shared->waits, count);
}

static void wake(mqd_t queue, struct shared *shared, long bytes, int count) {
  char *message = calloc(1, bytes);
  if (fork() == 0) {
    for (int index = 0; index < count; index++) {
      if (mq_receive(queue, message, bytes, NULL) < 0) fail("mq_receive");
      double sent;
      memcpy(&sent, message, sizeof sent);
      shared->waits[index] = now() - sent;
    }
    exit(0);
  }
  for (int index = 0; index < count; index++) {
    usleep(3000);
    double sent = now();
    memcpy(message, &sent, sizeof sent);
    if (mq_send(queue, message, bytes, 0) < 0) fail("mq_send");
  }
  wait(NULL);
  print_waits(shared->waits, count);
}

static void print_waits(double *waits, int count) {
  qsort(waits, count, sizeof(double), compare);
  printf("{\"p50Ns\":%f,\"p99Ns\":%f}\n", waits[count / 2] * 1e9, waits[count * 99 / 100] * 1e9);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  long bytes = atol(argv[2]);
  int number = atoi(argv[3]);
  char name[64];
  snprintf(name, sizeof name, "/millrace_bench_%d", getpid());
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("mmap");
  mqd_t queue = open_queue(name, bytes);
  mq_unlink(name);
  if (strcmp(argv[1], "throughput") == 0 && number <= PAIRS_MAX) throughput(queue, shared, bytes, number);
  else if (strcmp(argv[1], "request") == 0 && number <= WAKE_MAX) {
    char other[80];
    snprintf(other, sizeof other, "%s_replies", name);
    mqd_t replies = open_queue(other, bytes);
    mq_unlink(other);
    request(queue, replies, shared, bytes, number);
  } else if (number <= WAKE_MAX) wake(queue, shared, bytes, number);
  return 0;
}
