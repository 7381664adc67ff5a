/* status: whether this place serves: a word for everybody, every check for those who may mend it, numbers for monitoring. */
#include "io/service.h"

#include "base/text.h"
#include "model/health.h"
#include "page/access.h"
#include "page/template.h"

enum { FORMAT };

static const struct param params[] = {
    [FORMAT] = {"format", PARAM_LINE, false, 0, 16, "metrics: Prometheus text, for trusted callers"},
    {.name = NULL},
};

enum { TEXT_MAX_BYTES = 16384 };

static void
plain(struct request *r)
{
    r->raw = buf_new(r->c->mem, TEXT_MAX_BYTES);
    r->content_type = "text/plain; charset=utf-8";
}

static void
metric(struct buf *b, const char *name, const char *about, const char *type, int64_t number)
{
    buf_printf(b, "# HELP rtcc_%s %s\n# TYPE rtcc_%s %s\nrtcc_%s %lld\n", name, about, name, type, name, (long long)number);
}

static enum err
show_metrics(struct request *r, const struct health *h)
{
    struct health_numbers n;
    enum err err = health_count(r->c, &n);
    if (err != OK)
        return err;
    plain(r);
    r->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metric(&r->raw, "up", "1 when every check holds.", "gauge", h->is_ok);
    metric(&r->raw, "waiting", "Customers who wait for an agent.", "gauge", n.waiting);
    metric(&r->raw, "talking", "Conferences with an agent.", "gauge", n.talking);
    metric(&r->raw, "agents_ready", "Agents who are ready and present.", "gauge", n.agents_ready);
    metric(&r->raw, "work_due", "Pieces of work that are due.", "gauge", n.due);
    metric(&r->raw, "events_total", "Events ever written.", "counter", n.events);
    return OK;
}

static void
show_checks(struct request *r, const struct health *h)
{
    value_add_flag(r->out, "ok", h->is_ok);
    struct value *list = value_add_list(r->out, "checks");
    for (int i = 0; i < h->count; i++) {
        struct value *check = value_add_object(list, NULL);
        value_add_text(check, "name", h->checks[i].name);
        value_add_flag(check, "ok", h->checks[i].is_ok);
        value_add_text(check, "what", h->checks[i].what);
        value_add_text(check, "mend", h->checks[i].mend[0] ? h->checks[i].mend : NULL);
    }
}

static enum err
answer(struct request *r)
{
    struct health h;
    bool is_trusted = r->caller->kind != CALLER_NOBODY;
    const char *format = r->args[FORMAT].text ? r->args[FORMAT].text : "";
    if (format[0] != '\0' && !text_same(format, "metrics"))
        return center_fault(r->c, ERR_BAD_PARAMETER, "format", "format is metrics.");
    health_look(r->c, &h);
    r->status = h.is_ok ? 200 : 503;
    if (is_trusted && text_same(format, "metrics"))
        return show_metrics(r, &h);
    if (is_trusted && r->is_json_wanted) {
        show_checks(r, &h);
        return OK;
    }
    plain(r);
    buf_text(&r->raw, h.is_ok ? "ok\n" : "not ok\n");
    for (int i = 0; is_trusted && i < h.count; i++)
        buf_printf(&r->raw, "%-10s%-8s%s %s\n", h.checks[i].name, h.checks[i].is_ok ? "ok" : "NOT OK", h.checks[i].what,
            h.checks[i].mend);
    return OK;
}

const struct service service = {
    .name = "status",
    .about = "says whether this place serves",
    .methods = METHOD_GET,
    .mode = BATCH,
    .format = FORMAT_JSON,
    .params = params,
    .prepare = access_prepare,
    .access = access_anybody,
    .answer = answer,
    .render = template_render,
};
