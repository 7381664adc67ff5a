/* asking.h: a request as a web server would hand it over, and its answer, for the tests of request, answer and service. */
#ifndef RTCC_ASKING_H
#define RTCC_ASKING_H

#include "unit.h"

#include "io/answer.h"
#include "io/request.h"
#include "io/settings.h"

enum { NAME, TEXT, PHONE, COUNT_ARG, FLAG, FILE_ARG };

static const struct param params[] = {
    [NAME] = {"name", PARAM_LINE, true, 0, 5, "who"},
    [TEXT] = {"text", PARAM_TEXT, false, 2, 8, "what"},
    [PHONE] = {"phone", PARAM_LINE, false, 0, 20, "where"},
    [COUNT_ARG] = {"count", PARAM_INT, false, -3, 9, "how often"},
    [FLAG] = {"flag", PARAM_FLAG, false, 0, 0, "whether"},
    [FILE_ARG] = {"file", PARAM_FILE, false, 0, 10, "a file"},
    {.name = NULL},
};

static inline enum err
render(struct arena *mem, const char *folder, const char *name, const struct value *tree, struct buf *out)
{
    (void)mem;
    if (strcmp(name, "broken") == 0)
        return ERR_UNAVAILABLE;
    buf_printf(out, "<p>%s/%s: ", folder, name);
    buf_html(out, value_get_text(tree, "reason"));
    buf_text(out, "</p>");
    return OK;
}

static const struct service json = {.name = "t",
    .methods = METHOD_GET | METHOD_POST,
    .format = FORMAT_JSON,
    .params = params,
    .render = render};
static const struct service xml = {.name = "t", .methods = METHOD_GET, .format = FORMAT_XML, .render = render};
static const struct service page = {.name = "t", .methods = METHOD_GET, .format = FORMAT_PAGE, .render = render};
static const struct service bare = {.name = "t", .methods = METHOD_POST, .format = FORMAT_JSON};

static const struct settings settings =
    {.instance = "rt", .pages_dir = "/pages", .site_name = "Shop", .public_url = "", .phone_number = "", .file_max_bytes = 1000};
static const struct center process = {.settings = &settings};

/* A request with up to six further variables ("NAME=value"), ended by NULL. */
static inline struct request *
make(struct arena *mem, const struct service *s, const char *const *variables, const char *body, enum err *err)
{
    char **copy = arena_array(mem, 16, sizeof *copy);
    for (size_t i = 0; variables[i] != NULL; i++)
        copy[i] = arena_strdup(mem, variables[i]);
    struct input in = {.params = copy, .body = body, .body_bytes = strlen(body)};
    struct request *r = request_new(s, &process, mem);
    *err = request_read(r, &in);
    return r;
}

#define MAKE(mem, s, body, err, ...) make(mem, s, (const char *const[]){__VA_ARGS__, NULL}, body, err)

static inline const char *
answer_of(struct request *r, enum err err)
{
    struct answer answer;
    enum err said = answer_write(r, err, &answer);
    CHECK(answer.file.fd < 0, "a file is left");
    CHECK(err == OK || said == err, "the error became another one");
    return buf_str(&answer.bytes);
}

static inline bool
has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static inline const char *
body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static inline size_t
times(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

#endif
