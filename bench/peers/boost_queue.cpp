// Boost.Interprocess message queues between processes: `throughput BYTES PAIRS` or `wake BYTES COUNT`. Prints one JSON object.
#include <algorithm>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using boost::interprocess::message_queue;

namespace {

constexpr int total = 2'000'000, pairs_max = 8, wake_max = 10'000;
constexpr std::size_t capacity = 1024;

struct Shared {
  double first[pairs_max], last[pairs_max];
  double waits[wake_max];
};

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double cpu_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  auto seconds = [](const timeval &time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void consume(message_queue &queue, std::size_t bytes, double &first, double &last) {
  std::vector<char> message(bytes);
  for (;;) {
    std::size_t received = 0;
    unsigned priority = 0;
    queue.receive(message.data(), bytes, received, priority);
    if (message[0] == 2) _exit(0);
    last = now();
    if (first == 0) first = last;
  }
}

[[noreturn]] void produce(message_queue &queue, std::size_t bytes, int count) {
  std::vector<char> message(bytes);
  message[0] = 1;
  for (int index = 0; index < count; index++) queue.send(message.data(), bytes, 0);
  _exit(0);
}

void throughput(message_queue &queue, Shared &shared, std::size_t bytes, int pairs) {
  for (int index = 0; index < pairs; index++) {
    if (fork() == 0) consume(queue, bytes, shared.first[index], shared.last[index]);
  }
  std::vector<pid_t> producers;
  for (int index = 0; index < pairs; index++) {
    pid_t child = fork();
    if (child == 0) produce(queue, bytes, total / pairs);
    producers.push_back(child);
  }
  for (pid_t producer : producers) waitpid(producer, nullptr, 0);
  std::vector<char> end(bytes);
  end[0] = 2;
  for (int index = 0; index < pairs; index++) queue.send(end.data(), bytes, 0);
  while (wait(nullptr) > 0) {}
  double first = 1e300, last = 0;
  for (int index = 0; index < pairs; index++) {
    if (shared.first[index] > 0) first = std::min(first, shared.first[index]);
    last = std::max(last, shared.last[index]);
  }
  std::printf("{\"messagesPerSecond\":%f,\"cpuNsPerMessage\":%f}\n", total / (last - first), cpu_of_children() / total * 1e9);
}

void wake(message_queue &queue, Shared &shared, std::size_t bytes, int count) {
  std::vector<char> message(bytes);
  if (fork() == 0) {
    for (int index = 0; index < count; index++) {
      std::size_t received = 0;
      unsigned priority = 0;
      queue.receive(message.data(), bytes, received, priority);
      double sent = 0;
      std::memcpy(&sent, message.data(), sizeof sent);
      shared.waits[index] = now() - sent;
    }
    _exit(0);
  }
  for (int index = 0; index < count; index++) {
    usleep(3000);
    double sent = now();
    std::memcpy(message.data(), &sent, sizeof sent);
    queue.send(message.data(), bytes, 0);
  }
  wait(nullptr);
  std::sort(shared.waits, shared.waits + count);
  std::printf("{\"p50Ns\":%f,\"p99Ns\":%f}\n", shared.waits[count / 2] * 1e9, shared.waits[count * 99 / 100] * 1e9);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  auto bytes = static_cast<std::size_t>(std::atol(argv[2]));
  int number = std::atoi(argv[3]);
  std::string name = "millrace_bench_" + std::to_string(getpid());
  void *memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  auto &shared = *static_cast<Shared *>(memory);
  message_queue queue(boost::interprocess::create_only, name.c_str(), capacity, bytes);
  message_queue::remove(name.c_str());
  if (std::strcmp(argv[1], "throughput") == 0 && number <= pairs_max) throughput(queue, shared, bytes, number);
  else if (number <= wake_max) wake(queue, shared, bytes, number);
  return 0;
}
