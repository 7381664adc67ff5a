/* secret: libcrypto's random bytes, SHA-256 and HMAC, libcrypt's yescrypt. The texts are base64url (RFC 4648, 5) without padding,
 * so that a secret can stand in a URL, a cookie and a header as it is.
 *
 * Rejected: getrandom and a SHA-256 of our own (libcurl brings libcrypto anyway), and Argon2 (not in Debian 12's libcrypto;
 * yescrypt is what the system's own passwords use). */
#include "io/secret.h"

#include <assert.h>
#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

enum { SHA256_BYTES = 32, HMAC_KEPT_BYTES = 24, KEY_KEPT_CHARS = 127 };

static void
random_bytes(void *out, size_t bytes)
{
    assert(bytes <= INT32_MAX);
    if (RAND_bytes(out, (int)bytes) != 1)
        log_fatal("the system has no random bytes to give");
}

char *
secret_random_text(struct arena *mem, size_t chars)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = arena_alloc(mem, chars + 1);
    random_bytes(text, chars);
    for (size_t i = 0; i < chars; i++)
        text[i] = alphabet[(unsigned char)text[i] & 63];
    return text;
}

int64_t
secret_random_below(int64_t below)
{
    assert(below > 0 && below <= INT64_C(1) << 53);
    /* numbers above the last whole multiple would favour the small remainders: draw again */
    uint64_t limit = UINT64_MAX - UINT64_MAX % (uint64_t)below;
    uint64_t drawn;
    do
        random_bytes(&drawn, sizeof drawn);
    while (drawn >= limit);
    return (int64_t)(drawn % (uint64_t)below);
}

static char *
base64url(struct arena *mem, const unsigned char *data, size_t bytes)
{
    char *text = arena_alloc(mem, (bytes + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, data, (int)bytes);
    text[strcspn(text, "=")] = '\0';
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    return text;
}

/* Fetched once: libcrypto 3 looks each algorithm up among its providers whenever it is named (EVP_sha256), which takes longer
 * than hashing a short text. */
static const EVP_MD *
sha256(void)
{
    static EVP_MD *fetched;
    if (!fetched && !(fetched = EVP_MD_fetch(NULL, "SHA256", NULL)))
        log_fatal("libcrypto has no SHA-256");
    return fetched;
}

static EVP_MAC_CTX *
hmac_sha256(void)
{
    static EVP_MAC_CTX *made;
    OSSL_PARAM with_sha256[] = {OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *mac = made ? NULL : EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!made && (!mac || !(made = EVP_MAC_CTX_new(mac)) || !EVP_MAC_CTX_set_params(made, with_sha256)))
        log_fatal("libcrypto has no HMAC-SHA-256");
    EVP_MAC_free(mac);
    return made;
}

char *
secret_hmac(struct arena *mem, const char *key, const char *text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t bytes;
    static char key_in[KEY_KEPT_CHARS + 1]; /* the context: nearly always the same, and half of the work */
    EVP_MAC_CTX *mac = hmac_sha256();
    bool is_in = key[0] && strcmp(key, key_in) == 0;
    snprintf(key_in, sizeof key_in, "%s", strlen(key) < sizeof key_in ? key : "");
    if (!EVP_MAC_init(mac, is_in ? NULL : (const unsigned char *)key, is_in ? 0 : strlen(key), NULL) ||
        !EVP_MAC_update(mac, (const unsigned char *)text, strlen(text)) || !EVP_MAC_final(mac, hash, &bytes, sizeof hash))
        log_fatal("libcrypto cannot compute an HMAC-SHA-256");
    return base64url(mem, hash, HMAC_KEPT_BYTES);
}

char *
secret_hash(struct arena *mem, const char *text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    if (EVP_Digest(text, strlen(text), hash, NULL, sha256(), NULL) != 1)
        log_fatal("libcrypto cannot compute a SHA-256");
    return base64url(mem, hash, SHA256_BYTES);
}

/* crypt(5) of the password as `setting` says; NULL when either cannot be used. The work area held the password: it is wiped. */
static char *
password_hash(struct arena *mem, const char *password, const char *setting)
{
    void *work = NULL;
    int work_bytes = 0;
    char *hash = arena_strdup(mem, crypt_ra(password, setting, &work, &work_bytes));
    if (work) {
        explicit_bzero(work, (size_t)work_bytes);
        free(work);
    }
    return hash;
}

char *
secret_password(struct arena *mem, const char *password, int cost)
{
    assert(cost >= 1 && cost <= 11);
    char *setting = crypt_gensalt_ra("$y$", (unsigned long)cost, NULL, 0);
    if (!setting)
        log_fatal("libcrypt cannot make a yescrypt salt");
    char *hash = password_hash(mem, password, setting);
    free(setting);
    return hash;
}

bool
secret_password_is(const char *password, const char *hash)
{
    if (!password || !hash)
        return false;
    struct arena *mem = arena_new();
    const char *again = password_hash(mem, password, hash);
    bool is_same = again && text_same_secret(again, hash);
    arena_free(mem);
    return is_same;
}
