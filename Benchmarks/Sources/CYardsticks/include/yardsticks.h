#ifndef MANDATE_YARDSTICKS_H
#define MANDATE_YARDSTICKS_H
#include <stddef.h>

// Each runs its loop `rounds` times on one thread and returns how many seconds that took, or a negative number when
// OpenSSL refused something: a yardstick that does not do the work measures nothing.

// HKDF-SHA256, 32 bytes out, one context reused; `info_bytes` of info.
double yardstick_hkdf(long rounds, size_t info_bytes);

// One value: EVP base64 decoding of iv and ciphertext, AES-256-GCM with AAD, fetched cipher, context reused.
double yardstick_open(long rounds, size_t plaintext_bytes, size_t aad_bytes);

#endif
