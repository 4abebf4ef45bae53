// The yardsticks: plain C over OpenSSL, written the way a careful C programmer would for speed.
#include "yardsticks.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec moment;
  clock_gettime(CLOCK_MONOTONIC, &moment);
  return (double)moment.tv_sec + (double)moment.tv_nsec * 1e-9;
}

double yardstick_hkdf(long rounds, size_t info_bytes) {
  unsigned char key[32], out[32], info[1024], salt[1] = {0};
  if (info_bytes > sizeof info) return -1;
  memset(key, 7, sizeof key);
  memset(info, 9, sizeof info);
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
  if (!context) return -1;
  char digest[] = "SHA256";
  OSSL_PARAM fixed[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  if (EVP_KDF_CTX_set_params(context, fixed) != 1) return -1;
  double start = now();
  for (long round = 0; round < rounds; round++) {
    info[0] = (unsigned char)round;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_bytes),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_KDF_derive(context, out, sizeof out, parameters) != 1) return -1;
  }
  double seconds = now() - start;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return seconds;
}

struct sealed {
  char *iv;     // base64
  char *body;   // base64 of ciphertext ‖ tag
  int body_characters;
  int body_bytes;
};

static int seal(struct sealed *value, const unsigned char *key, const unsigned char *aad, size_t aad_bytes,
                size_t plaintext_bytes) {
  unsigned char iv[12] = {3};
  unsigned char *plain = calloc(1, plaintext_bytes);
  unsigned char *body = malloc(plaintext_bytes + 16);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int count = 0, rest = 0;
  if (!plain || !body || !context) return 0;
  memset(plain, 'x', plaintext_bytes);
  if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv) != 1) return 0;
  if (EVP_EncryptUpdate(context, NULL, &count, aad, (int)aad_bytes) != 1) return 0;
  if (EVP_EncryptUpdate(context, body, &count, plain, (int)plaintext_bytes) != 1) return 0;
  if (EVP_EncryptFinal_ex(context, body + count, &rest) != 1) return 0;
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, body + plaintext_bytes) != 1) return 0;
  value->body_bytes = (int)plaintext_bytes + 16;
  value->iv = malloc(32);
  value->body = malloc((plaintext_bytes + 16) * 4 / 3 + 8);
  EVP_EncodeBlock((unsigned char *)value->iv, iv, 12);
  value->body_characters = EVP_EncodeBlock((unsigned char *)value->body, body, value->body_bytes);
  EVP_CIPHER_CTX_free(context);
  free(plain);
  free(body);
  return 1;
}

double yardstick_open(long rounds, size_t plaintext_bytes, size_t aad_bytes) {
  unsigned char key[32], aad[1024], iv[16];
  if (aad_bytes > sizeof aad) return -1;
  memset(key, 5, sizeof key);
  memset(aad, 6, sizeof aad);
  struct sealed value;
  if (!seal(&value, key, aad, aad_bytes, plaintext_bytes)) return -1;
  unsigned char *body = malloc((size_t)value.body_characters);
  unsigned char *plain = malloc(plaintext_bytes + 16);
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (!body || !plain || !cipher || !context) return -1;
  if (EVP_DecryptInit_ex2(context, cipher, NULL, NULL, NULL) != 1) return -1;
  double start = now();
  for (long round = 0; round < rounds; round++) {
    int count = 0, rest = 0;
    if (EVP_DecodeBlock(iv, (unsigned char *)value.iv, 16) != 12) return -1;
    if (EVP_DecodeBlock(body, (unsigned char *)value.body, value.body_characters) < value.body_bytes) return -1;
    if (EVP_DecryptInit_ex2(context, NULL, key, iv, NULL) != 1) return -1;
    if (EVP_DecryptUpdate(context, NULL, &count, aad, (int)aad_bytes) != 1) return -1;
    if (EVP_DecryptUpdate(context, plain, &count, body, (int)plaintext_bytes) != 1) return -1;
    if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, body + plaintext_bytes) != 1) return -1;
    if (EVP_DecryptFinal_ex(context, plain + count, &rest) != 1) return -1;
  }
  double seconds = now() - start;
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
  free(value.iv);
  free(value.body);
  free(body);
  free(plain);
  return seconds;
}
