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

const char *
request_own_path(const struct request *r, const char *url)
{
    const char *base = r->c->settings->collaboration_url;
    size_t bytes = strlen(base);
    bool is_local = text_starts(base, "http://127.") || text_starts(base, "http://localhost");
    return is_local && text_starts(url, base) && url[bytes] == '/' ? url + bytes : NULL;
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
