#ifndef MANDATE_YARDSTICKS_H
#define MANDATE_YARDSTICKS_H
#include <stddef.h>

// Each runs its loop `rounds` times on one thread and returns how many seconds that took, or a negative number when
// OpenSSL refused something: a yardstick that does not do the work measures nothing.

// HKDF-SHA256, 32 bytes out, one context reused; `info_bytes` of info.
double yardstick_hkdf(long rounds, size_t info_bytes);

// One value: EVP base64 decoding of iv and ciphertext, AES-256-GCM with AAD, fetched cipher, context reused.
double yardstick_open(long rounds, size_t plaintext_bytes, size_t aad_bytes);

// A bare evhttp loop on a thread of its own that answers every request with 14 bytes of JSON. Returns the port on
// 127.0.0.1, or -1. It runs until the process ends.
int yardstick_http_serve(void);

// Requests per second that the server on that port answers, asked by one thread over `connections` kept-alive
// connections, each with one request under way. Negative when a connection failed or an answer was wrong.
double yardstick_http_load(int port, int connections, double seconds);

#endif
