#ifndef MANDATE_COPENSSL_SHIMS_H
#define MANDATE_COPENSSL_SHIMS_H
// The part of OpenSSL 3 that the Cryptography door uses, and HTTPServing for its TLS contexts. Swift cannot call macros
// that take arguments, so each has an inline function here.
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// OpenSSL wipes keys before it frees them, but not every text a key has passed through: its decoder frees the DER of a
// private key as it is. These three wipe whatever OpenSSL frees. They call nothing of OpenSSL's that allocates.
static inline void *mandate_allocate(size_t count, const char *file, int line) {
  (void)file, (void)line;
  return count == 0 ? NULL : malloc(count);
}

static inline void mandate_wipe_and_free(void *start, const char *file, int line) {
  (void)file, (void)line;
  if (start == NULL) return;
  OPENSSL_cleanse(start, malloc_usable_size(start));
  free(start);
}

static inline void *mandate_reallocate(void *start, size_t count, const char *file, int line) {
  if (count == 0) {
    mandate_wipe_and_free(start, file, line);
    return NULL;
  }
  void *moved = malloc(count);
  if (moved == NULL || start == NULL) return moved;
  size_t before = malloc_usable_size(start);
  memcpy(moved, start, before < count ? before : count);
  mandate_wipe_and_free(start, file, line);
  return moved;
}

// 1, or 0 if OpenSSL has allocated something already and will not change its ways.
static inline int mandate_wipe_what_is_freed(void) {
  return CRYPTO_set_mem_functions(mandate_allocate, mandate_reallocate, mandate_wipe_and_free);
}

// A selection built from other macros, which Swift does not evaluate.
static const int mandate_key_pair = EVP_PKEY_KEYPAIR;

static const unsigned long mandate_name_as_rfc2253 = XN_FLAG_RFC2253;
static const uint64_t mandate_server_options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT;

// BIO_get_mem_data is a macro over BIO_ctrl; the bytes stay the BIO's own.
static inline long mandate_bio_bytes(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

#endif
