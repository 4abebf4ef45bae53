#ifndef MANDATE_CLIBEVENT_SHIMS_H
#define MANDATE_CLIBEVENT_SHIMS_H
// The part of libevent 2.1 that the HTTPServing door uses, and the calls of Linux around its sockets whose types or
// macros Swift does not see. http_struct.h stays out: what it shows is libevent's to change.
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

static inline int mandate_bell_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// 0 and the uid of the process that connected to a Unix socket, or -1. `struct ucred` is hidden without _GNU_SOURCE.
static inline int mandate_peer_uid(int fd, uint32_t *uid) {
  struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
  } peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return -1;
  *uid = peer.uid;
  return 0;
}

// A peer that has gone must be an error of the write, never a signal.
static inline void mandate_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

// By default libevent writes its warnings to stderr, and they name addresses and methods.
static inline void mandate_ignore_event_log(int severity, const char *message) {
  (void)severity;
  (void)message;
}

static inline void mandate_silence_libevent(void) { event_set_log_callback(mandate_ignore_event_log); }

// What libevent reads may be a key in a body or a token in a header, and it frees its buffers as they are. These wipe
// whatever it frees. Memory that was taken before they are set is malloc's too, so they may be set at any time.
static inline void mandate_wipe_and_free_event_memory(void *start) {
  if (start == NULL) return;
  explicit_bzero(start, malloc_usable_size(start));
  free(start);
}

static inline void *mandate_reallocate_event_memory(void *start, size_t count) {
  void *moved = malloc(count);
  if (moved == NULL || start == NULL) return moved;
  size_t before = malloc_usable_size(start);
  memcpy(moved, start, before < count ? before : count);
  mandate_wipe_and_free_event_memory(start);
  return moved;
}

static inline void mandate_wipe_what_libevent_frees(void) {
  event_set_mem_functions(malloc, mandate_reallocate_event_memory, mandate_wipe_and_free_event_memory);
}

// flock is a function and a structure of the same name; Swift would take the structure.
static inline int mandate_lock_file(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

// The epoll backend may save up changes until it waits: each request changes what is waited for several times.
static inline struct event_base *mandate_event_base_new(void) {
  struct event_config *config = event_config_new();
  if (config == NULL) return NULL;
  event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
  struct event_base *base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

#endif
