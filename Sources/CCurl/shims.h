#ifndef MANDATE_CCURL_SHIMS_H
#define MANDATE_CCURL_SHIMS_H
// libcurl's easy, multi and URL interfaces. Options are set and read by variadic functions, which Swift cannot call, so
// each kind of argument has one inline function here.
#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// Answers may be somebody's opened records and headers may be credentials; both pass through buffers that libcurl owns.
// These make it wipe whatever it frees, as OpenSSL is made to.
static inline void mandate_curl_wipe_and_free(void *start) {
  if (start == NULL) return;
  explicit_bzero(start, malloc_usable_size(start));
  free(start);
}

static inline void *mandate_curl_reallocate(void *start, size_t count) {
  void *moved = malloc(count);
  if (moved == NULL || start == NULL) return moved;
  size_t before = malloc_usable_size(start);
  memcpy(moved, start, before < count ? before : count);
  mandate_curl_wipe_and_free(start);
  return moved;
}

static inline CURLcode mandate_curl_start(void) {
  return curl_global_init_mem(CURL_GLOBAL_ALL, malloc, mandate_curl_wipe_and_free, mandate_curl_reallocate, strdup,
                              calloc);
}

static inline CURLcode mandate_curl_set_number(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode mandate_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode mandate_curl_set_text(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

// For contexts and for bodies that stay the caller's.
static inline CURLcode mandate_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode mandate_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

typedef size_t (*mandate_curl_receiver)(char *start, size_t size, size_t count, void *context);

static inline CURLcode mandate_curl_set_receiver(CURL *easy, CURLoption option, mandate_curl_receiver value) {
  return curl_easy_setopt(easy, option, value);
}

typedef int (*mandate_curl_gate)(void *context, char *peer, char *local, int peer_port, int local_port);

static inline CURLcode mandate_curl_set_gate(CURL *easy, CURLoption option, mandate_curl_gate value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode mandate_curl_get_size(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode mandate_curl_get_text(CURL *easy, CURLINFO info, char **value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode mandate_curl_set_multi(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

// The message is a structure with a union in it; all that is needed is whose transfer ended and how.
static inline CURL *mandate_curl_next_done(CURLM *multi, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    *result = message->data.result;
    return message->easy_handle;
  }
  return NULL;
}

// Built from a macro, which Swift does not evaluate.
static const size_t mandate_curl_pause = CURL_WRITEFUNC_PAUSE;

#endif
