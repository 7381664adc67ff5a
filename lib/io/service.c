/* service.c: what programs call on their request besides filling its fields. Header lines are checked by assert rather than
 * cleaned: a value with a line break in it would be a second header, and whoever wrote it has to look where it came from. */
#include "io/service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/request.h"
#include "io/seat.h"
#include "io/settings.h"

void
request_header(struct request *r, const char *name, const char *value)
{
    assert(strcspn(name, ": \t\r\n") == strlen(name) && name[0] != '\0');
    assert(strcspn(value, "\r\n") == strlen(value));
    buf_printf(&r->headers_out, "%s: %s\r\n", name, value);
}

static const char *
cookie_name(struct request *r, const char *name)
{
    return arena_printf(r->c->mem, "%s%s_%s", r->is_https ? "__Host-" : "", r->c->settings->instance, name);
}

void
request_cookie(struct request *r, const char *name, const char *value, int64_t max_age_s)
{
    assert(strcspn(value, " \t\",;\\") == strlen(value));
    struct buf line = buf_new(r->c->mem, HEADERS_MAX_BYTES);
    buf_printf(&line, "%s=%s; Path=/", cookie_name(r, name), value);
    if (max_age_s >= 0)
        buf_printf(&line, "; Max-Age=%lld", (long long)max_age_s);
    buf_printf(&line, "; HttpOnly; SameSite=Lax%s", r->is_https ? "; Secure" : "");
    request_header(r, "Set-Cookie", buf_str(&line));
}

const char *
request_cookie_get(struct request *r, const char *name)
{
    const char *cookies = r->header(r, "HTTP_COOKIE");
    return cookies == NULL ? NULL : cookie_get(r->c->mem, cookies, cookie_name(r, name));
}

const char *
request_origin(struct request *r)
{
    const char *url = r->c->settings->public_url;
    size_t bytes = url == NULL ? 0 : strlen(url);
    while (bytes > 0 && url[bytes - 1] == '/')
        bytes--;
    if (bytes > 0)
        return arena_strndup(r->c->mem, url, bytes);
    return host_is_valid(r->host) ? arena_printf(r->c->mem, "%s://%s", r->is_https ? "https" : "http", r->host) : "";
}

/* The host and port of "http://HOST[:PORT]…", with the port that is meant where none stands; 0: another scheme. */
static int64_t
http_port(const char *url, const char **host, size_t *host_bytes)
{
    int64_t port = 80;
    char digits[8] = "";
    if (!text_starts(url, "http://"))
        return 0;
    *host = url + strlen("http://");
    *host_bytes = strcspn(*host, ":/");
    const char *behind = *host + *host_bytes;
    size_t bytes = strcspn(behind, "/");
    if (*behind != ':')
        return port;
    if (bytes - 1 >= sizeof digits)
        return 0;
    memcpy(digits, behind + 1, bytes - 1);
    return text_int(digits, 1, 65535, &port) == OK ? port : 0;
}

/* The port, where the host is the loopback itself, 127.0.0.0/8 or localhost, and not a name that begins like it; else 0. */
static int64_t
loopback_port(const char *url)
{
    const char *host;
    size_t bytes;
    int64_t port = http_port(url, &host, &bytes);
    bool is_number = port != 0 && bytes > 4 && text_starts(host, "127.") && strspn(host, "0123456789.") == bytes;
    bool is_name = port != 0 && bytes == strlen("localhost") && text_starts(host, "localhost");
    return is_number || is_name ? port : 0;
}

/* Whether a loopback address of this port may be this place. Who came by another name or over https does not tell our own port
 * for plain http, and could follow no loopback address anyway. The web server's port counts besides that of the Host header,
 * because a forwarded port changes one of them; a parked request has only the latter, and says no more than that it may. */
static bool
is_own_port(struct request *r, int64_t port)
{
    int64_t served = 0, seen = r->c->settings->public_url[0] == '\0' ? loopback_port(request_origin(r)) : 0;
    const char *text = r->header(r, "SERVER_PORT");
    bool is_told = text != NULL && text_int(text, 1, 65535, &served) == OK;
    return !is_told || seen == 0 || seen == port || served == port;
}

const char *
request_own_path(struct request *r, const char *url)
{
    const char *base = r->c->settings->collaboration_url;
    size_t bytes = strlen(base);
    int64_t port = loopback_port(base);
    bool is_below = text_starts(url, base) && url[bytes] == '/';
    return port != 0 && is_below && is_own_port(r, port) ? url + bytes : NULL;
}

const char *
request_outward(struct request *r, const char *url)
{
    const char *path = request_own_path(r, url), *origin = path == NULL ? "" : request_origin(r);
    return origin[0] == '\0' ? url : arena_printf(r->c->mem, "%s%s", origin, path);
}

/* What the web server itself lets a request wait for at most; clients cannot say it, their headers are called HTTP_... */
static int64_t
web_server_hold_ms(const struct request *r)
{
    int64_t seconds = 0;
    const char *text = r->header(r, "RTCC_HOLD_S");
    return text != NULL && text_int(text, 0, 25, &seconds) == OK ? seconds * 1000 : INT64_MAX;
}

/* Whether there is a seat, where the web server says that waiting takes one. */
static bool
may_wait(const struct request *r)
{
    int64_t most = 0;
    const char *text = r->header(r, "RTCC_HOLD_MAX");
    return text == NULL || text_int(text, 0, SEATS_MAX, &most) != OK || seat_take(r->c->settings->state_dir, most);
}

enum err
request_hold(struct request *r, const struct wait *wait)
{
    int64_t most_ms = may_wait(r) ? web_server_hold_ms(r) : 0;
    assert(r->service->mode == HOLD);
    r->wait = *wait;
    if (r->wait.deadline_ms - r->c->boot_ms > most_ms)
        r->wait.deadline_ms = r->c->boot_ms + most_ms;
    r->is_held = true;
    return OK;
}

int64_t
request_pause_s(const struct request *r)
{
    enum { AT_ONCE_MS = 500, PAUSE_S = 5 };
    return r->c->boot_ms - r->wait.parked_ms < AT_ONCE_MS ? PAUSE_S : 0;
}

void
news_add(struct center *c, struct news *news, int64_t key)
{
    if (news->count == news->cap) {
        size_t cap = news->cap == 0 ? 64 : news->cap * 2;
        int64_t *keys = arena_array(c->mem, cap, sizeof *keys);
        if (news->count > 0)
            memcpy(keys, news->keys, news->count * sizeof *keys);
        news->keys = keys;
        news->cap = cap;
    }
    news->keys[news->count++] = key;
}
