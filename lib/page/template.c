/* template: a page's text is compiled once into a list of nodes, which is kept until the file's time or size changes; rendering
 * walks the list with the chain of objects that are around.
 *
 * Each kept page has an arena of its own, because it outlives the request. A page that is being rendered is neither read
 * anew nor thrown away, so that a change of the file in between, or a part that includes itself, pulls nothing from under
 * the walk. Rejected: replacing text at each request (every fault of a page would show only to the customer who meets it),
 * and inotify on the folder (a stat costs 1 µs and cannot lose a change). */
#include "page/template.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

enum { FILE_MAX_BYTES = 256 * 1024, KEPT_MAX = 64, PARTS_MAX = 8, SECTIONS_MAX = 32 };

enum node_kind { NODE_TEXT, NODE_NAME, NODE_URL, NODE_TEL, NODE_SECTION, NODE_INVERTED, NODE_PART };

struct node {
    enum node_kind kind;
    int line;
    const char *text; /* of a TEXT the bytes, else the name */
    size_t bytes;
    struct node *body; /* SECTION, INVERTED */
    struct node *next;
};

struct page {
    struct arena *mem; /* NULL: a free place */
    const char *path;
    struct timespec changed;
    off_t bytes;
    struct node *nodes;
    int walks; /* how many renderings are inside */
    uint64_t last_use;
};

/* ── compiling ── */

struct compiler {
    struct arena *mem;
    const char *path;
    const char *at;
    int line;
    bool is_bad;
};

static const char *
trimmed(struct arena *mem, const char *text, size_t bytes)
{
    while (bytes && strchr(" \t\r\n", text[bytes - 1]))
        bytes--;
    size_t skip = 0;
    while (skip < bytes && strchr(" \t\r\n", text[skip]))
        skip++;
    return arena_strndup(mem, text + skip, bytes - skip);
}

static bool
is_part_name(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")];
}

static bool
is_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    return text_same(name, ".") || (*name && !name[strspn(name, allowed)]);
}

static void
complain(struct compiler *c, int line, const char *what, const char *name)
{
    if (!c->is_bad)
        log_error("%s:%d: %s%s", c->path, line, what, name);
    c->is_bad = true;
}

static struct node *
node_new(struct compiler *c, enum node_kind kind, const char *text, size_t bytes)
{
    struct node *node = arena_alloc(c->mem, sizeof *node);
    *node = (struct node){.kind = kind, .line = c->line, .text = text, .bytes = bytes};
    for (const char *byte = text; kind == NODE_TEXT && byte < text + bytes; byte++)
        c->line += *byte == '\n';
    return node;
}

static struct node *compile_nodes(struct compiler *c, const char *section, int depth);

static struct node *
compile_section(struct compiler *c, enum node_kind kind, const char *name, int depth)
{
    struct node *node = node_new(c, kind, name, strlen(name));
    if (depth >= SECTIONS_MAX)
        complain(c, c->line, "sections are nested too deep at ", name);
    else
        node->body = compile_nodes(c, name, depth + 1);
    return node;
}

/* How "NAME|FILTER" is written, and *name without the filter; NODE_NAME as it came when there is none of that name. */
static enum node_kind
take_filter(struct compiler *c, const char **name)
{
    const char *bar = strchr(*name, '|');
    const char *filter = bar ? trimmed(c->mem, bar + 1, strlen(bar + 1)) : "";
    enum node_kind kind = text_same(filter, "url") ? NODE_URL : text_same(filter, "tel") ? NODE_TEL : NODE_NAME;
    if (kind != NODE_NAME)
        *name = trimmed(c->mem, *name, (size_t)(bar - *name));
    return kind;
}

/* What stands between {{ and }}, which are passed already; NULL for a comment. */
static struct node *
compile_tag(struct compiler *c, const char *tag, int depth)
{
    char sign = *tag && strchr("#^>!", *tag) ? *tag : ' ';
    if (sign == '!')
        return NULL;
    const char *name = trimmed(c->mem, sign == ' ' ? tag : tag + 1, strlen(sign == ' ' ? tag : tag + 1));
    enum node_kind kind = sign == ' ' ? take_filter(c, &name) : NODE_NAME;
    if (sign == '>' ? !is_part_name(name) : !is_name(name))
        complain(c, c->line, "no such tag: ", tag);
    else if (sign == '#' || sign == '^')
        return compile_section(c, sign == '#' ? NODE_SECTION : NODE_INVERTED, name, depth);
    return node_new(c, sign == '>' ? NODE_PART : kind, name, strlen(name));
}

/* The next tag, trimmed, moved behind; NULL and a complaint when it does not end. */
static const char *
next_tag(struct compiler *c)
{
    const char *end = strstr(c->at + 2, "}}");
    if (!end) {
        complain(c, c->line, "a tag does not end: {{", trimmed(c->mem, c->at + 2, strnlen(c->at + 2, 20)));
        return NULL;
    }
    const char *tag = trimmed(c->mem, c->at + 2, (size_t)(end - c->at - 2));
    for (; c->at < end + 2; c->at++)
        c->line += *c->at == '\n';
    return tag;
}

/* Up to the end of the section, or of the file when section is NULL. */
static struct node *
compile_nodes(struct compiler *c, const char *section, int depth)
{
    struct node *first = NULL;
    struct node **end = &first;
    int begun = c->line;
    while (!c->is_bad) {
        const char *open = strstr(c->at, "{{");
        size_t bytes = open ? (size_t)(open - c->at) : strlen(c->at);
        if (bytes) {
            *end = node_new(c, NODE_TEXT, c->at, bytes);
            end = &(*end)->next;
            c->at += bytes;
        }
        const char *tag = open ? next_tag(c) : NULL;
        if (!tag)
            break;
        if (*tag == '/') {
            const char *name = trimmed(c->mem, tag + 1, strlen(tag + 1));
            if (!text_same(name, section))
                complain(c, c->line, "this ends no open section: ", name);
            return first;
        }
        *end = compile_tag(c, tag, depth);
        if (*end)
            end = &(*end)->next;
    }
    if (section)
        complain(c, begun, "a section does not end: ", section);
    return first;
}

/* ── files ── */

static struct page kept[KEPT_MAX];
static uint64_t uses;

static enum err
page_fault(const char *path, const char *why)
{
    log_error("%s: %s", path, why);
    return ERR_UNAVAILABLE;
}

/* The whole file, NUL-terminated; NULL when it cannot be read or grew meanwhile. */
static char *
read_whole(struct arena *mem, int fd, size_t bytes)
{
    char *text = arena_alloc(mem, bytes + 1);
    size_t have = 0;
    ssize_t got;
    while ((got = read(fd, text + have, bytes + 1 - have)) > 0)
        have += (size_t)got;
    if (have != bytes)
        return NULL;
    text[bytes] = '\0';
    return text;
}

/* Fills an empty page from the open file. */
static enum err
page_compile(struct page *page, int fd)
{
    struct stat file;
    if (fstat(fd, &file) || !S_ISREG(file.st_mode))
        return page_fault(page->path, "no regular file");
    if (file.st_size > FILE_MAX_BYTES)
        return page_fault(page->path, "larger than 256 KiB");
    const char *text = read_whole(page->mem, fd, (size_t)file.st_size);
    if (!text)
        return page_fault(page->path, "cannot be read, or is being written");
    if (!text_is_utf8(text, (size_t)file.st_size))
        return page_fault(page->path, "no UTF-8, or with a NUL");
    struct compiler compiler = {.mem = page->mem, .path = page->path, .at = text, .line = 1};
    page->nodes = compile_nodes(&compiler, NULL, 0);
    page->changed = file.st_mtim;
    page->bytes = file.st_size;
    return compiler.is_bad ? ERR_UNAVAILABLE : OK;
}

static enum err
page_read(struct page *page, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return page_fault(path, strerror(errno));
    *page = (struct page){.mem = arena_new()};
    page->path = arena_strdup(page->mem, path);
    enum err err = page_compile(page, fd);
    close(fd);
    if (err) {
        arena_free(page->mem);
        *page = (struct page){.mem = NULL};
    }
    return err;
}

/* The place of that path, else a free one, else the one that was not used for longest. */
static struct page *
page_place(const char *path)
{
    struct page *place = NULL;
    for (struct page *page = kept; page < kept + KEPT_MAX; page++) {
        if (page->mem && text_same(page->path, path))
            return page;
        if (!page->walks && (!place || page->last_use < place->last_use))
            place = page;
    }
    return place; /* at most PARTS_MAX + 1 are being walked */
}

static enum err
page_get(const char *path, struct page **out)
{
    struct stat file;
    struct page *page = page_place(path);
    bool is_same = page->mem && text_same(page->path, path);
    bool is_fresh = is_same && !stat(path, &file) && file.st_size == page->bytes && file.st_mtim.tv_sec == page->changed.tv_sec &&
                    file.st_mtim.tv_nsec == page->changed.tv_nsec;
    if (!is_fresh && !page->walks) {
        if (page->mem)
            arena_free(page->mem);
        *page = (struct page){.mem = NULL};
        enum err err = page_read(page, path);
        if (err)
            return err;
    }
    page->last_use = ++uses;
    *out = page;
    return OK;
}

/* ── rendering ── */

struct scope {
    const struct value *value;
    const struct scope *outer;
};

struct walk {
    struct arena *mem;
    const char *folder;
    const struct page *page;
    struct buf *out;
    int parts;
};

static const struct value *
find(const struct scope *scope, const char *name)
{
    if (text_same(name, "."))
        return scope->value;
    const struct value *found = NULL;
    for (; scope && !found; scope = scope->outer)
        found = value_get(scope->value, name);
    return found;
}

static enum err
node_fault(const struct walk *w, const struct node *node, const char *what)
{
    log_error("%s:%d: %s: %.*s", w->page->path, node->line, what, (int)node->bytes, node->text);
    return ERR_UNAVAILABLE;
}

/* What a telephone dials (RFC 3966): people write blanks and brackets. */
static void
buf_tel(struct buf *out, const char *number)
{
    for (; *number; number++)
        if (*number == '+' || (*number >= '0' && *number <= '9'))
            buf_byte(out, *number);
}

static enum err
render_name(const struct walk *w, const struct node *node, const struct scope *scope)
{
    const struct value *v = find(scope, node->text);
    if (!v)
        return node_fault(w, node, "a name that nothing around knows");
    switch (v->kind) {
    case VALUE_TEXT:
        (node->kind == NODE_URL ? buf_url : node->kind == NODE_TEL ? buf_tel : buf_html)(w->out, v->text);
        return OK;
    case VALUE_INT:
        buf_int(w->out, v->number);
        return OK;
    case VALUE_FLAG:
        buf_text(w->out, v->number ? "true" : "false");
        return OK;
    case VALUE_NULL:
        return OK;
    default:
        return node_fault(w, node, "neither text nor number");
    }
}

static enum err render_file(const struct walk *w, const char *name, const struct scope *scope);
static enum err render_nodes(const struct walk *w, const struct node *node, const struct scope *scope);

static enum err
render_section(const struct walk *w, const struct node *node, const struct scope *scope)
{
    const struct value *v = find(scope, node->text);
    bool is_true = value_is_true(v);
    if (is_true == (node->kind == NODE_INVERTED))
        return OK;
    if (!is_true || v->kind != VALUE_LIST) {
        struct scope inner = {.value = v, .outer = scope};
        return render_nodes(w, node->body, is_true ? &inner : scope);
    }
    enum err err = OK;
    for (const struct value *item = v->first; item && !err; item = item->next) {
        struct scope inner = {.value = item, .outer = scope};
        err = render_nodes(w, node->body, &inner);
    }
    return err;
}

static enum err
render_nodes(const struct walk *w, const struct node *node, const struct scope *scope)
{
    enum err err = OK;
    for (; node && !err; node = node->next) {
        switch (node->kind) {
        case NODE_TEXT:
            buf_bytes(w->out, node->text, node->bytes);
            break;
        case NODE_NAME:
        case NODE_URL:
        case NODE_TEL:
            err = render_name(w, node, scope);
            break;
        case NODE_SECTION:
        case NODE_INVERTED:
            err = render_section(w, node, scope);
            break;
        case NODE_PART:
            err = w->parts < PARTS_MAX ? render_file(w, node->text, scope) : node_fault(w, node, "parts are nested too deep");
            break;
        }
    }
    return err;
}

/* w: the walk that meets the name, or for the page itself one that has no page yet. */
static enum err
render_file(const struct walk *w, const char *name, const struct scope *scope)
{
    struct page *page;
    enum err err = page_get(arena_printf(w->mem, "%s/%s.html", w->folder, name), &page);
    if (err)
        return err;
    struct walk inner = *w;
    inner.parts = w->page ? w->parts + 1 : 0;
    inner.page = page;
    page->walks++;
    err = render_nodes(&inner, page->nodes, scope);
    page->walks--;
    return err;
}

enum err
template_render(struct arena *mem, const char *folder, const char *name, const struct value *tree, struct buf *out)
{
    assert(is_part_name(name));
    size_t before = out->len;
    bool was_full = out->full;
    struct scope scope = {.value = tree};
    struct walk walk = {.mem = mem, .folder = folder, .out = out};
    enum err err = render_file(&walk, name, &scope);
    if (err) { /* half a page is none */
        out->len = before;
        out->full = was_full;
        if (out->data)
            out->data[before] = '\0';
    }
    return err;
}
