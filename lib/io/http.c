/* http: one libcurl easy handle for each process, made at the first call and kept with its connection.
 *
 * The handle is reset before each call, which keeps connections and forgets everything that was set, so no bearer of one call
 * can reach the next. The answer is counted while it comes in, not trusted to its Content-Length. Rejected: the multi
 * interface (the programs that call out are prefork: one call at a time), and libcurl's own MAXFILESIZE (it does not see
 * chunked answers in the version of Debian 12).
 *
 * Where a call goes is looked at when its socket is made, not in the URL: what a name resolves to is known only then, and it may
 * be another address than a moment ago. */
#include "io/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

struct call {
    CURL *curl;
    struct curl_slist *headers;
    struct buf answer;
    char words[CURL_ERROR_SIZE];
    bool is_forbidden; /* an address that nothing of ours has */
};

/* A process that was forked from one that has called already must not write into its parent's connection: it makes its own. */
static CURL *
http_handle(void)
{
    static CURL *kept;
    static pid_t owner;
    if (kept && owner == getpid()) {
        curl_easy_reset(kept);
        return kept;
    }
    if (!owner && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        log_fatal("libcurl cannot start");
    owner = getpid();
    kept = curl_easy_init();
    if (!kept)
        log_fatal("libcurl cannot start");
    return kept;
}

static size_t
take(char *data, size_t size, size_t count, void *user)
{
    struct call *call = user;
    buf_bytes(&call->answer, data, size * count);
    return call->answer.full ? 0 : size * count;
}

static bool
may_call_v4(const unsigned char *a)
{
    bool is_nowhere = a[0] == 0;                        /* 0.0.0.0/8, "this host": another way to write loopback */
    bool is_link_local = a[0] == 169 && a[1] == 254;    /* where clouds answer with a machine's own keys */
    return !is_nowhere && !is_link_local && a[0] < 224; /* multicast, reserved, broadcast */
}

bool
http_may_call(const struct sockaddr *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char translated[12] = {0, 0x64, 0xff, 0x9b};
    static const unsigned char nowhere[16];
    if (address->sa_family == AF_INET)
        return may_call_v4((const unsigned char *)&((const struct sockaddr_in *)address)->sin_addr);
    if (address->sa_family != AF_INET6)
        return false;
    const unsigned char *a = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    if (memcmp(a, mapped, sizeof mapped) == 0 || memcmp(a, translated, sizeof translated) == 0)
        return may_call_v4(a + 12);
    bool is_link_local = a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
    return !is_link_local && a[0] != 0xff && memcmp(a, nowhere, sizeof nowhere) != 0;
}

static curl_socket_t
open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = user;
    (void)purpose;
    if (!http_may_call(&address->addr)) {
        call->is_forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void
set_limits(CURL *curl, int64_t most_ms)
{
    CURLcode ok = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (ok != CURLE_OK)
        log_fatal("libcurl does not know http and https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)most_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rtcc");
}

static void
add_header(struct arena *mem, struct call *call, const char *name, const char *value)
{
    assert(!strpbrk(value, "\r\n"));
    call->headers = curl_slist_append(call->headers, arena_printf(mem, "%s: %s", name, value));
    if (!call->headers)
        log_fatal("out of memory");
}

static void
set_request(struct arena *mem, struct call *call, const char *url, const char *body, const char *bearer, const char *accept)
{
    if (bearer && *bearer)
        add_header(mem, call, "Authorization", arena_printf(mem, "Bearer %s", bearer));
    if (accept && *accept)
        add_header(mem, call, "Accept", accept);
    curl_easy_setopt(call->curl, CURLOPT_URL, url);
    curl_easy_setopt(call->curl, CURLOPT_HTTPHEADER, call->headers);
    if (body) {
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(call->curl, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(call->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(call->curl, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(call->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(call->curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(call->curl, CURLOPT_ERRORBUFFER, call->words);
}

/* Its own authority in place of the system's, not besides them: who names one means that one. */
static void
set_authority(CURL *curl, const char *ca_file)
{
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void
read_answer(struct arena *mem, const struct call *call, struct http_answer *out)
{
    long status = 0;
    const char *type = NULL;
    curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->curl, CURLINFO_CONTENT_TYPE, &type);
    *out = (struct http_answer){
        .status = (int)status,
        .content_type = arena_strdup(mem, type ? type : ""),
        .body = buf_str(&call->answer),
        .bytes = call->answer.len,
    };
}

static const char *
log_failure(const struct call *call, CURLcode code, const char *url)
{
    const char *words = call->is_forbidden ? "this is a link-local address, or one that names no host: it is not called"
                        : *call->words     ? call->words
                                           : curl_easy_strerror(code);
    /* what follows the '?' is the customer's: not for the log */
    log_warn("%.*s: %s", (int)strcspn(url, "?"), url, words);
    return words;
}

static enum err
end_of_call(struct arena *mem, const struct call *call, CURLcode code, const char *url, struct http_answer *out)
{
    if (code == CURLE_OK || call->answer.full)
        read_answer(mem, call, out);
    else
        out->fault = arena_strdup(mem, log_failure(call, code, url));
    return code == CURLE_OK ? OK : call->answer.full ? ERR_TOO_LARGE : ERR_UNAVAILABLE;
}

enum err
http_call(struct arena *mem, const char *url, const char *body, const char *bearer, const char *accept, const char *ca_file,
    int64_t most_ms, struct http_answer *out)
{
    assert(most_ms > 0 && most_ms <= HTTP_TOTAL_MS);
    struct call call = {.curl = http_handle(), .answer = buf_new(mem, HTTP_ANSWER_MAX_BYTES)};
    set_limits(call.curl, most_ms);
    set_request(mem, &call, url, body, bearer, accept);
    if (ca_file && *ca_file)
        set_authority(call.curl, ca_file);
    enum err err = end_of_call(mem, &call, curl_easy_perform(call.curl), url, out);
    /* call and headers end here: the kept handle must not point at them */
    curl_easy_reset(call.curl);
    curl_slist_free_all(call.headers);
    return err;
}
