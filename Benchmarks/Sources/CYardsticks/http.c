// The yardstick of the HTTP door: evhttp as a careful C programmer would use it, with no gate, no deadlines and no
// handler but one line; and the load that is put on both sides.
#define _GNU_SOURCE
#include "yardsticks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char answer[] = "{\"answer\":42}\n";

static void respond(struct evhttp_request *request, void *context) {
  (void)context;
  struct evbuffer *body = evbuffer_new();
  evbuffer_add(body, answer, sizeof answer - 1);
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
  evhttp_send_reply(request, 200, "OK", body);
  evbuffer_free(body);
}

static void *serve(void *context) {
  event_base_dispatch(context);
  return NULL;
}

int yardstick_http_serve(void) {
  struct event_base *base = event_base_new();
  struct evhttp *http = base ? evhttp_new(base) : NULL;
  if (!http) return -1;
  evhttp_set_gencb(http, respond, NULL);
  struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size) != 0) return -1;
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve, base) != 0) return -1;
  pthread_detach(thread);
  return ntohs(address.sin_port);
}

// MARK: Load

static const char question[] = "GET /answer HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n";

struct client {
  int fd;
  size_t filled;
  char reply[2048];
};

static double now(void) {
  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  return (double)moment.tv_sec + (double)moment.tv_nsec * 1e-9;
}

// A socket that is connected to the port on 127.0.0.1, or -1.
static int open_client(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int yes = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int ask(struct client *client) {
  client->filled = 0;
  return send(client->fd, question, sizeof question - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof question - 1);
}

// 1 when the reply is whole and right, 0 when more must come, -1 when it is wrong.
static int take(struct client *client) {
  ssize_t count = recv(client->fd, client->reply + client->filled, sizeof client->reply - client->filled, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) return -1;
  client->filled += (size_t)count;
  if (client->filled > 12 && memcmp(client->reply, "HTTP/1.1 200", 12) != 0) return -1;
  char *end = memmem(client->reply, client->filled, "\r\n\r\n", 4);
  if (!end) return client->filled == sizeof client->reply ? -1 : 0;
  size_t whole = (size_t)(end - client->reply) + 4 + sizeof answer - 1;
  if (client->filled < whole) return 0;
  return client->filled == whole && memcmp(end + 4, answer, sizeof answer - 1) == 0 ? 1 : -1;
}

double yardstick_http_load(int port, int connections, double seconds) {
  struct client *clients = calloc((size_t)connections, sizeof *clients);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  double rate = -1;
  long answered = 0;
  int opened = 0;
  if (!clients || epoll < 0) goto done;
  for (; opened < connections; opened++) {
    struct client *client = &clients[opened];
    client->fd = open_client(port);
    if (client->fd < 0) goto done;
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = client}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) != 0 || !ask(client)) goto done;
  }
  double start = now();
  while (now() - start < seconds) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, 1000);
    // A second without an answer is a server that has stopped.
    if (count <= 0) goto done;
    for (int index = 0; index < count; index++) {
      int verdict = take(events[index].data.ptr);
      if (verdict < 0 || (verdict > 0 && !ask(events[index].data.ptr))) goto done;
      answered += verdict;
    }
  }
  rate = (double)answered / (now() - start);
done:
  while (opened-- > 0) close(clients[opened].fd);
  free(clients);
  if (epoll >= 0) close(epoll);
  return rate;
}
