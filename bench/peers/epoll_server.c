/*
 * The least a server can cost through epoll: one thread, level-triggered, one read and one write per readiness.
 *
 *   epoll_server http    answers every request with `Hello world!` (requests are found by their blank line only;
 *                        pipelining, keep-alive and `Connection: close` are honoured, nothing else is looked at)
 *   epoll_server echo    sends every byte back until the client ends its half
 *
 * Listens on 127.0.0.1, port chosen by the kernel, and prints the address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 512,
  READ_BYTES_MAX = 64 * 1024,
  CARRY_BYTES_MAX = 16 * 1024,
  ANSWER_BYTES_MAX = 256,
  /* Every request is at least "\r\n\r\n" long, so one read can bring this many answers at most. */
  WRITE_BYTES_MAX = ((READ_BYTES_MAX + CARRY_BYTES_MAX) / 4) * ANSWER_BYTES_MAX
};

/* What a connection keeps between two readiness events: nothing at all in the usual case. */
struct connection {
  char *carried; /* the beginning of a request whose end has not come yet */
  size_t carried_bytes;
  char *unsent; /* what the socket did not take; while it is there, nothing is read */
  size_t unsent_bytes;
  bool close_when_sent;
};

static struct connection *connections;
static size_t connections_max;
static int epoll_descriptor;
static bool speaks_http;
static char read_buffer[CARRY_BYTES_MAX + READ_BYTES_MAX];
static char write_buffer[WRITE_BYTES_MAX];
static char answer[ANSWER_BYTES_MAX];
static size_t answer_bytes;

static void die(const char *action) {
  fprintf(stderr, "epoll_server: %s: %s\n", action, strerror(errno));
  exit(1);
}

static void refresh_answer(void) {
  static time_t written_for;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == written_for) return;
  written_for = now.tv_sec;
  struct tm parts;
  char date[64];
  gmtime_r(&now.tv_sec, &parts);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  answer_bytes = (size_t)snprintf(answer, sizeof answer,
                                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
                                  "Date: %s\r\n\r\nHello world!",
                                  date);
}

static void watch(int descriptor, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = descriptor};
  if (epoll_ctl(epoll_descriptor, operation, descriptor, &event) != 0) die("epoll_ctl");
}

static void close_connection(int descriptor) {
  struct connection *connection = &connections[descriptor];
  free(connection->carried);
  free(connection->unsent);
  memset(connection, 0, sizeof *connection);
  close(descriptor);
}

/* Returns false when the connection has been closed. */
static bool send_or_keep(int descriptor, const char *bytes, size_t count) {
  ssize_t sent = count == 0 ? 0 : send(descriptor, bytes, count, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    close_connection(descriptor);
    return false;
  }
  if (sent < 0) sent = 0;
  if ((size_t)sent == count) return true;
  struct connection *connection = &connections[descriptor];
  size_t left = count - (size_t)sent;
  char *kept = malloc(left);
  if (kept == NULL) die("malloc");
  memcpy(kept, bytes + sent, left);
  free(connection->unsent);
  connection->unsent = kept;
  connection->unsent_bytes = left;
  watch(descriptor, EPOLL_CTL_MOD, EPOLLOUT);
  return true;
}

static void on_writable(int descriptor) {
  struct connection *connection = &connections[descriptor];
  ssize_t sent = send(descriptor, connection->unsent, connection->unsent_bytes, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) close_connection(descriptor);
    return;
  }
  connection->unsent_bytes -= (size_t)sent;
  memmove(connection->unsent, connection->unsent + sent, connection->unsent_bytes);
  if (connection->unsent_bytes > 0) return;
  free(connection->unsent);
  connection->unsent = NULL;
  if (connection->close_when_sent) {
    close_connection(descriptor);
    return;
  }
  watch(descriptor, EPOLL_CTL_MOD, EPOLLIN);
}

static bool asks_to_close(const char *head, size_t count) {
  static const char field[] = "\nconnection: close";
  const char *end = head + count;
  for (const char *line = head; (line = memchr(line, '\n', (size_t)(end - line))) != NULL; line++) {
    if ((size_t)(end - line) < sizeof field - 1) return false;
    if (strncasecmp(line, field, sizeof field - 1) == 0) return true;
  }
  return false;
}

static void on_http_bytes(int descriptor, size_t count) {
  struct connection *connection = &connections[descriptor];
  const char *at = read_buffer;
  const char *end = read_buffer + count;
  size_t pending = 0;
  refresh_answer();
  while (at < end && !connection->close_when_sent) {
    const char *blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    if (blank == NULL) break;
    connection->close_when_sent = asks_to_close(at, (size_t)(blank - at));
    memcpy(write_buffer + pending, answer, answer_bytes);
    pending += answer_bytes;
    at = blank + 4;
  }
  free(connection->carried);
  connection->carried = NULL;
  connection->carried_bytes = (size_t)(end - at);
  if (connection->carried_bytes > CARRY_BYTES_MAX) {
    close_connection(descriptor);
    return;
  }
  if (connection->carried_bytes > 0) {
    connection->carried = malloc(connection->carried_bytes);
    if (connection->carried == NULL) die("malloc");
    memcpy(connection->carried, at, connection->carried_bytes);
  }
  if (!send_or_keep(descriptor, write_buffer, pending)) return;
  if (connection->close_when_sent && connection->unsent == NULL) close_connection(descriptor);
}

static void on_readable(int descriptor) {
  struct connection *connection = &connections[descriptor];
  size_t carried = connection->carried_bytes;
  if (carried > 0) memcpy(read_buffer, connection->carried, carried);
  ssize_t count = recv(descriptor, read_buffer + carried, READ_BYTES_MAX, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    close_connection(descriptor);
    return;
  }
  if (speaks_http) {
    on_http_bytes(descriptor, carried + (size_t)count);
  } else {
    send_or_keep(descriptor, read_buffer, (size_t)count);
  }
}

static void on_acceptable(int listener) {
  for (;;) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EAGAIN) return;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      die("accept");
    }
    if ((size_t)descriptor >= connections_max) {
      errno = EMFILE;
      die("accept");
    }
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(descriptor, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_bytes = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, address_bytes) != 0) die("bind");
  if (listen(listener, SOMAXCONN) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &address_bytes) != 0) die("getsockname");
  printf("listening on %s127.0.0.1:%d\n", speaks_http ? "http://" : "", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int count, char **arguments) {
  if (count != 2 || (strcmp(arguments[1], "http") != 0 && strcmp(arguments[1], "echo") != 0)) {
    fputs("usage: epoll_server http|echo\n", stderr);
    return 2;
  }
  speaks_http = strcmp(arguments[1], "http") == 0;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
  connections_max = (size_t)limit.rlim_cur;
  connections = calloc(connections_max, sizeof *connections);
  if (connections == NULL) die("calloc");
  epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_descriptor < 0) die("epoll_create1");
  int listener = listen_on_loopback();
  watch(listener, EPOLL_CTL_ADD, EPOLLIN);

  struct epoll_event events[EVENTS_MAX];
  for (;;) {
    int ready = epoll_wait(epoll_descriptor, events, EVENTS_MAX, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int index = 0; index < ready; index++) {
      int descriptor = events[index].data.fd;
      if (descriptor == listener) on_acceptable(listener);
      else if (connections[descriptor].unsent != NULL) on_writable(descriptor);
      else on_readable(descriptor);
    }
  }
}
