/* site.c: see site.h. The key is read once: it never changes while a database lives, and every poll needs it. */
#include "model/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/secret.h"
#include "sql.h"

enum { KEY_CHARS = 43 };

static enum err
site_key(struct center *c, const char **out)
{
    static char key[KEY_CHARS + 1];
    if (key[0] == '\0') {
        struct site site;
        enum err err = sql_site(c->db, c->mem, &site);
        if (err != OK)
            return center_fault(c, ERR_UNAVAILABLE, NULL,
                "This place is not set up yet: its administrator must run 'rtcc init'.");
        strncpy(key, site.hmac_key, KEY_CHARS);
    }
    *out = key;
    return OK;
}

enum err
site_make(struct center *c)
{
    struct sql_site_make_in in = {.hmac_key = secret_random_text(c->mem, KEY_CHARS), .at = c->now_ms};
    return sql_site_make(c->db, &in);
}

enum err
site_next_id(struct center *c, int64_t *out)
{
    struct site_next_id row;
    enum err err = sql_site_next_id(c->db, c->mem, &row);
    if (err == OK)
        *out = row.id;
    return err;
}

/* Every poll asks for both; within one look at the database they stay what they are. */
static enum err
site_counters(struct center *c, struct site_counters *out)
{
    static struct site_counters seen;
    static int64_t seen_look;
    int64_t look = db_look(c->db);
    if (look == 0 || look != seen_look) {
        enum err err = sql_site_counters(c->db, c->mem, &seen);
        seen_look = err == OK ? look : 0;
        if (err != OK)
            return err;
    }
    *out = seen;
    return OK;
}

enum err
site_last_event(struct center *c, int64_t *out)
{
    struct site_counters counters;
    enum err err = site_counters(c, &counters);
    if (err == OK)
        *out = counters.last_event;
    return err;
}

enum err
site_last_queue(struct center *c, int64_t *out)
{
    struct site_counters counters;
    enum err err = site_counters(c, &counters);
    if (err == OK)
        *out = counters.last_queue;
    return err;
}

enum err
site_token(struct center *c, int64_t conf, int64_t member, const char **out)
{
    const char *key;
    enum err err = site_key(c, &key);
    if (err != OK)
        return err;
    const char *what = arena_printf(c->mem, "member/%lld/%lld", (long long)conf, (long long)member);
    *out = arena_printf(c->mem, "m_%lld_%s", (long long)member, secret_hmac(c->mem, key, what));
    return OK;
}

enum err
site_token_member(struct center *c, int64_t conf, const char *token, int64_t *member)
{
    const char *right;
    long long id = text_starts(token, "m_") ? strtoll(token + 2, NULL, 10) : 0;
    enum err err = site_token(c, conf, id, &right);
    if (err != OK)
        return err;
    if (!text_same_secret(token, right))
        return ERR_UNAUTHORIZED;
    *member = id;
    return OK;
}

enum err
site_mac(struct center *c, const char *what, const char *text, const char **out)
{
    const char *key;
    enum err err = site_key(c, &key);
    if (err == OK)
        *out = secret_hmac(c->mem, key, arena_printf(c->mem, "%s/%s", what, text));
    return err;
}

enum err
site_ticket(struct center *c, int64_t conf, int64_t member, int64_t at, const char **out)
{
    const char *text = arena_printf(c->mem, "%lld/%lld/%lld", (long long)conf, (long long)member, (long long)at);
    return site_mac(c, "ticket", text, out);
}

enum err
site_csrf(struct center *c, int64_t serial, const char **out)
{
    return site_mac(c, "csrf", arena_printf(c->mem, "%lld", (long long)serial), out);
}
