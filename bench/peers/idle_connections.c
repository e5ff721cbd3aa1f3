/*
 * Opens many connections and leaves them idle, one stage per line read from standard input:
 *
 *   idle_connections http|echo PORT CONNECTIONS
 *
 * 1. at once: connects them all, to 127.0.0.1 from several source addresses
 * 2. after one line: sends one request on each and reads its answer, so that what a server allocates at first use is there
 * 3. after another: looks which of them the server still holds open, and ends
 *
 * Each stage prints one line of JSON with how many connections passed it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { CONNECTIONS_PER_SOURCE = 4000, ANSWER_BYTES_MAX = 4096, ANSWER_SECONDS_MAX = 10 };

static const char HTTP_REQUEST[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char HTTP_BODY[] = "Hello world!";
static const char ECHO_REQUEST[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";

static int open_connection(unsigned port, unsigned index) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  int on = 1;
  struct timeval patience = {.tv_sec = ANSWER_SECONDS_MAX};
  struct sockaddr_in source = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / CONNECTIONS_PER_SOURCE)};
  struct sockaddr_in server = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(descriptor, (struct sockaddr *)&source, sizeof source) != 0 ||
      connect(descriptor, (struct sockaddr *)&server, sizeof server) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

/* The last bytes of an answer are known, and nothing follows them. */
static bool ask(int descriptor, bool http) {
  const char *request = http ? HTTP_REQUEST : ECHO_REQUEST;
  const char *ending = http ? HTTP_BODY : ECHO_REQUEST;
  size_t request_bytes = strlen(request), ending_bytes = strlen(ending), received = 0;
  char answer[ANSWER_BYTES_MAX];
  if (send(descriptor, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes) return false;
  while (received < sizeof answer) {
    ssize_t count = recv(descriptor, answer + received, sizeof answer - received, 0);
    if (count <= 0) return false;
    received += (size_t)count;
    if (received >= ending_bytes && memcmp(answer + received - ending_bytes, ending, ending_bytes) == 0) return true;
  }
  return false;
}

static bool still_open(int descriptor) {
  char byte;
  return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void report(const char *stage, unsigned count) {
  printf("{\"stage\":\"%s\",\"connections\":%u}\n", stage, count);
  fflush(stdout);
}

static bool next_stage(void) {
  char line[16];
  return fgets(line, sizeof line, stdin) != NULL;
}

int main(int count, char **arguments) {
  bool http = count == 4 && strcmp(arguments[1], "http") == 0;
  if (count != 4 || (!http && strcmp(arguments[1], "echo") != 0)) {
    fputs("usage: idle_connections http|echo PORT CONNECTIONS\n", stderr);
    return 2;
  }
  unsigned port = (unsigned)atoi(arguments[2]), wanted = (unsigned)atoi(arguments[3]), passed = 0;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  int *descriptors = calloc(wanted, sizeof *descriptors);
  if (descriptors == NULL) return 1;
  for (unsigned index = 0; index < wanted; index++) {
    descriptors[index] = open_connection(port, index);
    if (descriptors[index] >= 0) passed++;
    else if (passed == index) fprintf(stderr, "idle_connections: connection %u: %s\n", index + 1, strerror(errno));
  }
  report("opened", passed);
  if (!next_stage()) return 1;
  passed = 0;
  for (unsigned index = 0; index < wanted; index++) passed += descriptors[index] >= 0 && ask(descriptors[index], http);
  report("answered", passed);
  if (!next_stage()) return 1;
  passed = 0;
  for (unsigned index = 0; index < wanted; index++) passed += descriptors[index] >= 0 && still_open(descriptors[index]);
  report("open", passed);
  return 0;
}
