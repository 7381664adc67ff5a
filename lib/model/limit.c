/* limit.c: see limit.h. One row for each bucket: a sliding window would need a row for each event and gains nothing against
 * somebody who tries a hundred thousand times.
 *
 * A request counts by the moment in which it was taken up, so one that began earlier may come later than its neighbour, and finds
 * a stretch that ends later than its own would: that is no reason to begin anew. Only what ends later than any request of this
 * boot can have said (SLACK_MS) is of another boot. Rejected: the wall clock, which anybody who sets it opens. */
#include "model/limit.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "io/settings.h"
#include "sql.h"

const struct limit limit_code_address = {"code", 5, 60,
    "Too many wrong codes came from your address. Wait a minute and try again."};
const struct limit limit_code_site = {"codes", 100, 60, "Too many wrong codes are coming in. Wait a minute and try again."};
const struct limit limit_form = {"form", 30, 60, "Too many forms came from your address. Wait a minute and try again."};
const struct limit limit_sign = {"sign", 5, 900, "Too many wrong passwords for this account. Try again in a quarter of an hour."};
const struct limit limit_sign_address = {"signs", 30, 60,
    "Too many wrong passwords came from your address. Wait a minute and try again."};
const struct limit limit_basic = {"basic", 5, 60,
    "Too many wrong passwords came from your address. Wait a minute and try again."};
const struct limit limit_basic_site = {"basics", 10, 10, "Too many wrong passwords are coming in. Try again in a few seconds."};
const struct limit limit_code_known = {"known", 1, 30 * 86400, ""};
const struct limit limit_basic_known = {"trusted", 1, 30 * 86400, ""};

enum { SLACK_MS = 60000 }; /* no request takes so long from its beginning until it is counted */

static const char *
bucket_of(struct center *c, const struct limit *limit, const char *whom)
{
    return arena_printf(c->mem, "%s:%s", limit->name, whom);
}

static int64_t
window_ms(const struct limit *limit)
{
    return (int64_t)limit->window_s * 1000;
}

/* The latest end of a stretch that counts. */
static int64_t
latest(struct center *c, const struct limit *limit)
{
    return c->boot_ms + window_ms(limit) + SLACK_MS;
}

static enum err
refuse(struct center *c, const struct limit *limit, int64_t until_ms)
{
    enum err err = center_fault(c, ERR_TOO_MANY, NULL, "%s", limit->reason);
    int64_t retry_s = (until_ms - c->boot_ms + 999) / 1000; /* by one that began later it may end a moment later */
    c->fault.retry_s = retry_s < limit->window_s ? (int)retry_s : limit->window_s;
    return err;
}

enum err
limit_take(struct center *c, const struct limit *limit, const char *whom)
{
    struct rate_take row;
    struct sql_rate_take_in in = {.bucket = bucket_of(c, limit, whom),
        .now = c->boot_ms,
        .window_ms = window_ms(limit),
        .latest = latest(c, limit),
        .most = limit->most};
    enum err err = sql_rate_take(c->db, c->mem, &in, &row);
    if (err != OK)
        return err;
    return row.count > limit->most ? refuse(c, limit, row.until_ms) : OK;
}

enum err
limit_check(struct center *c, const struct limit *limit, const char *whom)
{
    struct rate_read row = {.count = 0};
    struct sql_rate_read_in in = {.bucket = bucket_of(c, limit, whom), .now = c->boot_ms, .latest = latest(c, limit)};
    enum err err = sql_rate_read(c->db, c->mem, &in, &row);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    return row.count >= limit->most ? refuse(c, limit, row.until_ms) : OK;
}

enum err
limit_forget(struct center *c, const struct limit *limit, const char *whom)
{
    return sql_rate_forget(c->db, &(struct sql_rate_forget_in){.bucket = bucket_of(c, limit, whom)});
}

enum err
limit_tidy(struct center *c)
{
    return sql_rate_forget_old(c->db, &(struct sql_rate_forget_old_in){.now = c->boot_ms});
}

enum err
limit_remember(struct center *c, const struct limit *known, const char *address)
{
    if (limit_is_known(c, known, address))
        return OK;
    enum err err = limit_take(c, known, address);
    return err == ERR_TOO_MANY ? OK : err; /* somebody else was faster */
}

bool
limit_is_known(struct center *c, const struct limit *known, const char *address)
{
    struct rate_read row;
    struct sql_rate_read_in in = {.bucket = bucket_of(c, known, address), .now = c->boot_ms, .latest = latest(c, known)};
    return sql_rate_read(c->db, c->mem, &in, &row) == OK;
}

const char *
limit_address(struct center *c, const char *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char v6[16];
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, v6) != 1)
        return address;
    if (memcmp(v6, mapped, sizeof mapped) == 0) /* an IPv4 address as a socket for both writes it: no network of 64 bits */
        return arena_printf(c->mem, "%d.%d.%d.%d", v6[12], v6[13], v6[14], v6[15]);
    memset(v6 + 8, 0, 8);
    return inet_ntop(AF_INET6, v6, text, sizeof text) ? arena_printf(c->mem, "%s/64", text) : address;
}

bool
limit_is_exempt(struct center *c, const char *address)
{
    return c->settings->limit_exempt && text_same(address, "127.0.0.1");
}
