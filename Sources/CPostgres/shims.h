#ifndef MANDATE_CPOSTGRES_SHIMS_H
#define MANDATE_CPOSTGRES_SHIMS_H
// libpq's interface, and the few calls of Linux by which the Postgres door watches libpq's sockets. epoll is wrapped
// because its event is a packed structure with a union in it: a token and a readiness are all that Swift needs.
#include <errno.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static inline int mandate_doorbell_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

static inline int mandate_epoll_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

// Registers a descriptor that reports every time it is readable, until it is read.
static inline int mandate_epoll_add_persistent(int epoll, int fd, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// Registers a descriptor that reports nothing until it is armed.
static inline int mandate_epoll_add_silent(int epoll, int fd, uint64_t token) {
  struct epoll_event event = {.events = EPOLLONESHOT, .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// Asks for one report as soon as the descriptor can be read, or, on demand, written.
static inline int mandate_epoll_arm(int epoll, int fd, uint64_t token, int for_writing) {
  struct epoll_event event = {.events = EPOLLONESHOT | EPOLLIN | EPOLLRDHUP | (for_writing ? EPOLLOUT : 0u),
                              .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static inline int mandate_epoll_forget(int epoll, int fd) {
  struct epoll_event event = {0};
  return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
}

// Waits and fills in the tokens of what became ready: their count, or -1 with errno. Never more than 64 at a time.
static inline int mandate_epoll_wait(int epoll, uint64_t *tokens, int milliseconds) {
  struct epoll_event events[64];
  int count = epoll_wait(epoll, events, 64, milliseconds);
  for (int index = 0; index < count; index++) tokens[index] = events[index].data.u64;
  return count;
}

// By default libpq prints the server's notices on stderr, and notices may quote data.
static inline void mandate_ignore_notice(void *context, const PGresult *notice) {
  (void)context;
  (void)notice;
}

static inline void mandate_silence_notices(PGconn *connection) {
  PQsetNoticeReceiver(connection, mandate_ignore_notice, 0);
}

#endif
