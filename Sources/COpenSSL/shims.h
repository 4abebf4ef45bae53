#ifndef MANDATE_COPENSSL_SHIMS_H
#define MANDATE_COPENSSL_SHIMS_H
// The part of OpenSSL 3 that the Cryptography door uses. Swift cannot call macros that take arguments, so each
// has an inline function here.
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
#include <openssl/x509.h>

// Selections built from other macros, which Swift does not evaluate.
static const int mandate_public_half = EVP_PKEY_PUBLIC_KEY;
static const int mandate_key_pair = EVP_PKEY_KEYPAIR;

// BIO_get_mem_data is a macro over BIO_ctrl; the bytes stay the BIO's own.
static inline long mandate_bio_bytes(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

#endif
