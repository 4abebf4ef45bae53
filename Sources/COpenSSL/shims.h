#ifndef MANDATE_COPENSSL_SHIMS_H
#define MANDATE_COPENSSL_SHIMS_H
// The part of OpenSSL 3 that the Cryptography door uses. Swift cannot call macros that take arguments, so each
// has an inline function here.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#endif
