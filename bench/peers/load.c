/*
 * Load generator: a fixed number of connections, each with one request in flight, on one thread.
 *
 *   load http|echo PORT [--connections N] [--seconds N] [--bytes N] [--close]
 *
 * http   GET / over and over; every answer must be 200 with Content-Length and the body `Hello world!`
 * echo   sends --bytes bytes (64 unless told) and expects the very same back
 * --close   a new connection for every request: http asks for `Connection: close`, echo ends its half after the
 *           answer; either way the server's end of stream is awaited, then the next connection is made
 *
 * Connects to 127.0.0.1. Prints one line of JSON. Latency runs from the first byte sent (from connect() with --close) to
 * the last byte of the answer. Every error is counted under what failed; the connection is then made anew.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 512,
  MESSAGE_BYTES_MAX = 16 * 1024,
  CONNECTIONS_MAX = 16 * 1024,
  /* Who ends a connection first holds its port in TIME_WAIT: here the client, in echo. An address has some 28,000. */
  SOURCE_ADDRESSES = 16,
  SWEEP_MS = 10,
  /* A logarithmic histogram: 64 steps per doubling, so a percentile is exact to 1.6 %. */
  STEPS_BITS = 6,
  HISTOGRAM_SLOTS = 64 << STEPS_BITS
};

static const uint64_t TIMEOUT_NS = 2000000000;
static const char EXPECTED_BODY[] = "Hello world!";

enum phase { UNCONNECTED, SENDING, RECEIVING, AWAITING_END };

struct connection {
  int descriptor;
  enum phase phase;
  unsigned watched;
  bool established;
  uint64_t started_ns;
  size_t sent;
  size_t received;
  char bytes[MESSAGE_BYTES_MAX];
};

static struct {
  uint64_t connect, read, write, timeout, status, content, shortened;
} errors;

static struct connection *connections;
static int epoll_descriptor;
static bool speaks_http, closes;
static char request[MESSAGE_BYTES_MAX];
static size_t request_bytes = 64;
static struct sockaddr_in server;
static uint64_t histogram[HISTOGRAM_SLOTS], answers, longest_ns, sources_used;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *action) {
  fprintf(stderr, "load: %s: %s\n", action, strerror(errno));
  exit(1);
}

static size_t slot_of(uint64_t value) {
  if (value < (1u << STEPS_BITS)) return (size_t)value;
  unsigned shift = 63u - (unsigned)__builtin_clzll(value) - STEPS_BITS;
  return ((size_t)(shift + 1) << STEPS_BITS) + (size_t)((value >> shift) - (1u << STEPS_BITS));
}

static uint64_t value_of(size_t slot) {
  size_t group = slot >> STEPS_BITS, step = slot & ((1u << STEPS_BITS) - 1);
  if (group == 0) return step;
  return ((uint64_t)step + (1u << STEPS_BITS)) << (group - 1);
}

static double percentile_us(double share) {
  uint64_t wanted = (uint64_t)((double)answers * share), seen = 0;
  for (size_t slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
    seen += histogram[slot];
    if (seen > wanted) return (double)value_of(slot) / 1000;
  }
  return (double)longest_ns / 1000;
}

static void drop(struct connection *connection) {
  if (connection->descriptor >= 0) close(connection->descriptor);
  connection->descriptor = -1;
  connection->phase = UNCONNECTED;
  connection->watched = 0;
}

static void fail(struct connection *connection, uint64_t *counter) {
  *counter += 1;
  drop(connection);
}

static void watch(struct connection *connection, unsigned events) {
  if (connection->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = connection};
  int operation = connection->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(epoll_descriptor, operation, connection->descriptor, &event) != 0) die("epoll_ctl");
  connection->watched = events;
}

static void send_request(struct connection *connection) {
  ssize_t sent = send(connection->descriptor, request + connection->sent, request_bytes - connection->sent, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN) watch(connection, EPOLLOUT);
    else fail(connection, connection->established ? &errors.write : &errors.connect);
    return;
  }
  connection->established = true;
  connection->sent += (size_t)sent;
  if (connection->sent == request_bytes) connection->phase = RECEIVING;
  watch(connection, connection->sent == request_bytes ? EPOLLIN : EPOLLOUT);
}

static void begin_request(struct connection *connection) {
  connection->phase = SENDING;
  connection->sent = 0;
  connection->received = 0;
  if (!closes) connection->started_ns = now_ns();
  send_request(connection);
}

static void open_connection(struct connection *connection) {
  connection->started_ns = now_ns();
  connection->established = false;
  connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection->descriptor < 0) die("socket");
  int on = 1;
  setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (closes && !speaks_http) {
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(sources_used++ % SOURCE_ADDRESSES))};
    setsockopt(connection->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(connection->descriptor, (struct sockaddr *)&source, sizeof source) != 0) die("bind");
  }
  if (connect(connection->descriptor, (struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS) {
    fail(connection, &errors.connect);
    return;
  }
  begin_request(connection);
}

/* What is known of an answer so far. */
enum verdict { INCOMPLETE, COMPLETE, WRONG_STATUS, WRONG_CONTENT };

/* The line of a head, which ends before `end`, that begins with `field`, a newline before it. */
static const char *find_field(const char *head, const char *end, const char *field) {
  size_t length = strlen(field);
  const char *line = head;
  while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
    if (strncasecmp(line, field, length) == 0) return line + length;
    line++;
  }
  return NULL;
}

static enum verdict judge_http(const struct connection *connection) {
  const char *bytes = connection->bytes;
  const char *blank = memmem(bytes, connection->received, "\r\n\r\n", 4);
  if (blank == NULL) return connection->received == MESSAGE_BYTES_MAX ? WRONG_CONTENT : INCOMPLETE;
  if (strncmp(bytes, "HTTP/1.1 200 ", 13) != 0) return WRONG_STATUS;
  const char *length = find_field(bytes, blank, "\ncontent-length:");
  size_t body_bytes = sizeof EXPECTED_BODY - 1;
  if (length == NULL || strtoul(length, NULL, 10) != body_bytes) return WRONG_CONTENT;
  size_t body_received = connection->received - (size_t)(blank + 4 - bytes);
  if (body_received < body_bytes) return INCOMPLETE;
  if (body_received > body_bytes || memcmp(blank + 4, EXPECTED_BODY, body_bytes) != 0) return WRONG_CONTENT;
  return COMPLETE;
}

/* Whether a complete answer is the last of its connection: a server says so when it stops. */
static bool is_last(const struct connection *connection) {
  if (closes) return true;
  if (!speaks_http) return false;
  const char *blank = memmem(connection->bytes, connection->received, "\r\n\r\n", 4);
  return find_field(connection->bytes, blank, "\nconnection: close") != NULL;
}

static enum verdict judge_echo(const struct connection *connection) {
  if (connection->received < request_bytes) return INCOMPLETE;
  if (connection->received > request_bytes) return WRONG_CONTENT;
  return memcmp(connection->bytes, request, request_bytes) == 0 ? COMPLETE : WRONG_CONTENT;
}

static void record(const struct connection *connection) {
  uint64_t elapsed_ns = now_ns() - connection->started_ns;
  histogram[slot_of(elapsed_ns)]++;
  if (elapsed_ns > longest_ns) longest_ns = elapsed_ns;
  answers++;
}

static void on_end_of_stream(struct connection *connection) {
  if (connection->phase != AWAITING_END) {
    fail(connection, &errors.shortened);
    return;
  }
  drop(connection);
  open_connection(connection);
}

static void on_readable(struct connection *connection) {
  ssize_t count = recv(connection->descriptor, connection->bytes + connection->received,
                       MESSAGE_BYTES_MAX - connection->received, 0);
  if (count < 0) {
    if (errno != EAGAIN) fail(connection, &errors.read);
    return;
  }
  if (count == 0) {
    on_end_of_stream(connection);
    return;
  }
  if (connection->phase == AWAITING_END) {
    fail(connection, &errors.content);
    return;
  }
  connection->received += (size_t)count;
  switch (speaks_http ? judge_http(connection) : judge_echo(connection)) {
    case INCOMPLETE: return;
    case WRONG_STATUS: fail(connection, &errors.status); return;
    case WRONG_CONTENT: fail(connection, &errors.content); return;
    case COMPLETE: break;
  }
  record(connection);
  if (!is_last(connection)) {
    begin_request(connection);
    return;
  }
  connection->phase = AWAITING_END;
  if (!speaks_http && shutdown(connection->descriptor, SHUT_WR) != 0) fail(connection, &errors.write);
}

/* Opens again what has failed, and fails what has waited too long. */
static void sweep(size_t count) {
  uint64_t now = now_ns();
  for (size_t index = 0; index < count; index++) {
    struct connection *connection = &connections[index];
    if (connection->phase == UNCONNECTED) open_connection(connection);
    else if (now > connection->started_ns + TIMEOUT_NS) fail(connection, &errors.timeout);
  }
}

static double run(size_t count, uint64_t seconds) {
  struct epoll_event events[EVENTS_MAX];
  uint64_t started_ns = now_ns(), deadline_ns = started_ns + seconds * 1000000000u, sweep_ns = started_ns;
  uint64_t now = started_ns;
  while (now < deadline_ns) {
    if (now >= sweep_ns) {
      sweep(count);
      sweep_ns = now + SWEEP_MS * 1000000u;
    }
    int ready = epoll_wait(epoll_descriptor, events, EVENTS_MAX, SWEEP_MS);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int index = 0; index < ready; index++) {
      struct connection *connection = events[index].data.ptr;
      if (connection->phase == SENDING) send_request(connection);
      else if (connection->phase != UNCONNECTED) on_readable(connection);
    }
    now = now_ns();
  }
  return (double)(now - started_ns) / 1e9;
}

static void print_result(double seconds) {
  printf("{\"requests\":%llu,\"seconds\":%.6f,\"p50Us\":%.3f,\"p99Us\":%.3f,\"longestUs\":%.3f,"
         "\"errors\":{\"connect\":%llu,\"read\":%llu,\"write\":%llu,\"timeout\":%llu,\"status\":%llu,\"content\":%llu,"
         "\"short\":%llu}}\n",
         (unsigned long long)answers, seconds, percentile_us(0.5), percentile_us(0.99), (double)longest_ns / 1000,
         (unsigned long long)errors.connect, (unsigned long long)errors.read, (unsigned long long)errors.write,
         (unsigned long long)errors.timeout, (unsigned long long)errors.status, (unsigned long long)errors.content,
         (unsigned long long)errors.shortened);
}

static unsigned long number(const char *text, unsigned long most) {
  char *end;
  unsigned long value = text == NULL ? 0 : strtoul(text, &end, 10);
  if (value == 0 || value > most || *end != 0) {
    fprintf(stderr, "load: `%s`: expected a number from 1 to %lu\n", text == NULL ? "" : text, most);
    exit(2);
  }
  return value;
}

int main(int count, char **arguments) {
  bool is_echo = count > 1 && strcmp(arguments[1], "echo") == 0;
  speaks_http = count > 1 && strcmp(arguments[1], "http") == 0;
  if (count < 3 || is_echo == speaks_http) {
    fputs("usage: load http|echo PORT [--connections N] [--seconds N] [--bytes N] [--close]\n", stderr);
    return 2;
  }
  unsigned long port = number(arguments[2], 65535), connection_count = 64, seconds = 1;
  for (int index = 3; index < count; index++) {
    const char *name = arguments[index];
    if (strcmp(name, "--close") == 0) closes = true;
    else if (strcmp(name, "--connections") == 0) connection_count = number(arguments[++index], CONNECTIONS_MAX);
    else if (strcmp(name, "--seconds") == 0) seconds = number(arguments[++index], 3600);
    else if (strcmp(name, "--bytes") == 0) request_bytes = number(arguments[++index], MESSAGE_BYTES_MAX - 1);
    else {
      fprintf(stderr, "load: unknown option `%s`\n", name);
      return 2;
    }
  }
  server = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (speaks_http) {
    request_bytes = (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%lu\r\n%s\r\n", port,
                                     closes ? "Connection: close\r\n" : "");
  } else {
    for (size_t index = 0; index < request_bytes; index++) request[index] = (char)('a' + index % 26);
  }
  connections = calloc(connection_count, sizeof *connections);
  epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || epoll_descriptor < 0) die("set-up");
  for (unsigned long index = 0; index < connection_count; index++) connections[index].descriptor = -1;
  print_result(run(connection_count, seconds));
  return 0;
}
