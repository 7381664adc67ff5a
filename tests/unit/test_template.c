/* Templates: what each tag writes, what is a fault of the page and where the log says it is, and that a changed file is seen. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "page/template.h"

static char folder[] = "/tmp/rtcc-template-XXXXXX";
static char said[4096]; /* what the last render() logged */
static int written_pages;

/* Each page gets a time of its own: the machine's clock is coarser than a test is fast. */
static void
write_bytes(struct arena *mem, const char *name, const char *text, size_t bytes)
{
    char *path = arena_printf(mem, "%s/%s.html", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    struct timespec now = {.tv_sec = 1000000, .tv_nsec = ++written_pages};
    struct timespec times[2] = {now, now};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
write_page(struct arena *mem, const char *name, const char *text)
{
    write_bytes(mem, name, text, strlen(text));
}

static enum err
render_to(struct arena *mem, const char *name, const struct value *tree, struct buf *out)
{
    int kept = dup(STDERR_FILENO);
    int log = memfd_create("log", MFD_CLOEXEC);
    assert_true(kept >= 0 && log >= 0);
    dup2(log, STDERR_FILENO);
    enum err err = template_render(mem, folder, name, tree, out);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t bytes = pread(log, said, sizeof said - 1, 0);
    said[bytes < 0 ? 0 : bytes] = '\0';
    close(log);
    return err;
}

static const char *
render(struct arena *mem, const char *name, const struct value *tree)
{
    struct buf out = buf_new(mem, 1000000);
    CHECK(render_to(mem, name, tree, &out) == OK, "%s", said);
    assert_string_equal(said, "");
    return buf_str(&out);
}

/* The page of that text, with the example below. */
static const char *
page(struct arena *mem, const char *text, const struct value *tree)
{
    write_page(mem, "page", text);
    return render(mem, "page", tree);
}

static struct value *
example(struct arena *mem)
{
    struct value *tree = value_object(mem);
    value_add_text(tree, "name", "Ann <b> & \"Bo's\"");
    value_add_int(tree, "count", -3);
    value_add_int(tree, "zero", 0);
    value_add_flag(tree, "yes", true);
    value_add_flag(tree, "no", false);
    value_add_null(tree, "nothing");
    value_add_text(tree, "empty", "");
    value_add_list(tree, "none");
    struct value *words = value_add_list(tree, "words");
    value_add_text(words, NULL, "one");
    value_add_text(words, NULL, "<two>");
    struct value *members = value_add_list(tree, "members");
    for (int i = 1; i <= 2; i++) {
        struct value *member = value_add_object(members, NULL);
        value_add_text(member, "name", i == 1 ? "Cy" : "Di");
        value_attribute_int(member, "id", i);
    }
    value_add_text(value_add_object(tree, "queue"), "place", "2nd");
    return tree;
}

static void
text_stands_as_it_is(void **state)
{
    assert_string_equal(page(*state, "", example(*state)), "");
    assert_string_equal(page(*state, "<p>{ } }} {x} ü\n\n", example(*state)), "<p>{ } }} {x} ü\n\n");
}

static void
a_name_is_escaped_for_html(void **state)
{
    assert_string_equal(page(*state, "<i title=\"{{name}}\">{{ name }}</i>", example(*state)),
        "<i title=\"Ann &lt;b&gt; &amp; &quot;Bo&#39;s&quot;\">Ann &lt;b&gt; &amp; &quot;Bo&#39;s&quot;</i>");
    assert_string_equal(page(*state, "{{count}} {{zero}} {{yes}} {{no}} [{{nothing}}{{empty}}]", example(*state)),
        "-3 0 true false []");
}

static void
a_name_with_url_is_escaped_for_a_query(void **state)
{
    assert_string_equal(page(*state, "<a href=\"/x?n={{name|url}}&amp;c={{ count | url }}\">", example(*state)),
        "<a href=\"/x?n=Ann%20%3Cb%3E%20%26%20%22Bo%27s%22&amp;c=-3\">");
}

static void
a_number_with_tel_is_what_a_telephone_dials(void **state)
{
    struct value *tree = value_object(*state);
    value_add_text(tree, "number", "+1 (603) 555-0100/2 <ext. 7>");
    assert_string_equal(page(*state, "<a href=\"tel:{{number|tel}}\">{{ number | tel }}</a>", tree),
        "<a href=\"tel:+1603555010027\">+1603555010027</a>");
}

static void
a_section_repeats_for_each_element_of_a_list(void **state)
{
    assert_string_equal(page(*state, "{{#words}}<li>{{.}} {{.|url}}</li>{{/words}}", example(*state)),
        "<li>one one</li><li>&lt;two&gt; %3Ctwo%3E</li>");
    assert_string_equal(page(*state, "{{#members}}{{id}}{{name}}{{count}};{{/members}}", example(*state)), "1Cy-3;2Di-3;");
    assert_string_equal(page(*state, "{{#none}}x{{/none}}", example(*state)), "");
}

static void
a_section_stands_once_for_an_object_or_a_true_value(void **state)
{
    assert_string_equal(page(*state, "{{#queue}}{{place}} of {{count}}{{/queue}}", example(*state)), "2nd of -3");
    assert_string_equal(
        page(*state, "{{# yes }}y{{/ yes }}{{#count}}n{{.}}{{/count}}{{#name}}t{{count}}{{/name}}", example(*state)), "yn-3t-3");
    assert_string_equal(
        page(*state, "{{#no}}x{{/no}}{{#zero}}x{{/zero}}{{#nothing}}x{{/nothing}}{{#empty}}x{{/empty}}{{#absent}}x{{/absent}}",
            example(*state)),
        "");
}

static void
an_inverted_section_stands_for_what_is_not(void **state)
{
    assert_string_equal(page(*state,
                            "{{^no}}a{{/no}}{{^zero}}b{{/zero}}{{^nothing}}c{{/nothing}}{{^empty}}d{{/empty}}{{^none}}e{{/none}}"
                            "{{^absent}}f{{name|url}}{{/absent}}",
                            example(*state)),
        "abcdefAnn%20%3Cb%3E%20%26%20%22Bo%27s%22");
    assert_string_equal(
        page(*state, "{{^yes}}x{{/yes}}{{^count}}x{{/count}}{{^queue}}x{{/queue}}{{^words}}x{{/words}}", example(*state)), "");
}

static void
sections_nest_and_the_innermost_name_counts(void **state)
{
    assert_string_equal(
        page(*state, "{{#members}}{{#words}}{{name}}{{.}}{{^no}}{{.|url}}{{/no}} {{/words}}{{/members}}", example(*state)),
        "Cyoneone Cy&lt;two&gt;%3Ctwo%3E Dioneone Di&lt;two&gt;%3Ctwo%3E ");
    assert_string_equal(page(*state, "{{#yes}}{{#yes}}{{#yes}}x{{/yes}}{{/yes}}{{/yes}}", example(*state)), "x");
}

static void
a_comment_leaves_nothing(void **state)
{
    assert_string_equal(page(*state, "a{{! {{name}} b", example(*state)), "a b");
    assert_string_equal(page(*state, "a{{!}}{{! two\nlines }}b", example(*state)), "ab");
}

static void
a_part_stands_where_it_is_named_and_sees_what_is_around(void **state)
{
    write_page(*state, "one_member", "({{id}}{{name}})");
    assert_string_equal(page(*state, "{{#members}}{{> one_member }}{{/members}}", example(*state)), "(1Cy)(2Di)");
}

static void
parts_nest_up_to_8_deep(void **state)
{
    write_page(*state, "part_h", "x");
    for (char name[] = "part_a"; name[5] < 'h'; name[5]++)
        write_page(*state, name, arena_printf(*state, "%c{{>part_%c}}", name[5], name[5] + 1));
    assert_string_equal(page(*state, "{{>part_a}}{{>part_a}}", example(*state)), "abcdefgxabcdefgx");
    write_page(*state, "part_h", "{{>part_i}}");
    write_page(*state, "part_i", "x");
    struct buf out = buf_new(*state, 1000);
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/part_h.html:1: parts are nested too deep: part_i\n"));
    write_page(*state, "page", "{{>page}}");
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/page.html:1: parts are nested too deep: page\n"));
}

static void
a_fault_of_a_page_is_logged_with_its_place(void **state)
{
    static const struct row {
        const char *text;
        const char *log;
    } rows[] = {
        {"a\n{{nmae}}", "page.html:2: a name that nothing around knows: nmae"},
        {"{{#words}}\n\n{{nmae|url}}{{/words}}", "page.html:3: a name that nothing around knows: nmae"},
        {"{{queue}}", "page.html:1: neither text nor number: queue"},
        {"{{words|url}}", "page.html:1: neither text nor number: words"},
        {"{{.}}", "page.html:1: neither text nor number: ."},
        {"{{#members}}{{.}}{{/members}}", "page.html:1: neither text nor number: ."},
        {"\n\n{{name", "page.html:3: a tag does not end: {{name"},
        {"{{", "page.html:1: a tag does not end: {{"},
        {"{{name}", "page.html:1: a tag does not end: {{name}"},
        {"{{}}", "page.html:1: no such tag: "},
        {"{{a-b}}", "page.html:1: no such tag: a-b"},
        {"{{{name}}}", "page.html:1: no such tag: {name"},
        {"{{name|js}}", "page.html:1: no such tag: name|js"},
        {"{{name|tel|url}}", "page.html:1: no such tag: name|tel|url"},
        {"{{name|url|url}}", "page.html:1: no such tag: name|url|url"},
        {"{{|url}}", "page.html:1: no such tag: |url"},
        {"{{&name}}", "page.html:1: no such tag: &name"},
        {"{{#name|url}}x{{/name}}", "page.html:1: no such tag: #name|url"},
        {"{{#}}x{{/}}", "page.html:1: no such tag: #"},
        {"{{>}}", "page.html:1: no such tag: >"},
        {"{{>../page}}", "page.html:1: no such tag: >../page"},
        {"{{>Page}}", "page.html:1: no such tag: >Page"},
        {"\n{{>nowhere}}", "nowhere.html: No such file or directory"},
        {"\n{{#yes}}\n\n", "page.html:2: a section does not end: yes"},
        {"{{^no}}{{#yes}}{{/no}}{{/yes}}", "page.html:1: this ends no open section: no"},
        {"a\nb\n{{/yes}}", "page.html:3: this ends no open section: yes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = buf_new(*state, 1000);
        buf_text(&out, "before");
        write_page(*state, "page", rows[i].text);
        CHECK(render_to(*state, "page", example(*state), &out) == ERR_UNAVAILABLE, "taken: %s", rows[i].text);
        const char *wanted = arena_printf(*state, "/%s\n", rows[i].log);
        CHECK(strstr(said, wanted), "of %s the log says: %s", rows[i].text, said);
        assert_string_equal(buf_str(&out), "before");
    }
}

static void
half_a_page_is_taken_back(void **state)
{
    struct buf out = buf_new(*state, 10);
    write_page(*state, "page", "more than ten bytes{{absent}}");
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
    assert_false(out.full);
    assert_string_equal(buf_str(&out), "");
    buf_text(&out, "error");
    assert_string_equal(buf_str(&out), "error");
}

static void
a_page_over_the_limit_of_the_answer_is_full(void **state)
{
    struct buf out = buf_new(*state, 10);
    write_page(*state, "page", "more than ten bytes");
    assert_int_equal(render_to(*state, "page", example(*state), &out), OK);
    assert_true(out.full);
}

static void
a_file_that_is_no_page_is_refused(void **state)
{
    struct buf out = buf_new(*state, 1000000);
    const struct value *tree = example(*state);
    assert_int_equal(render_to(*state, "nowhere", tree, &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/nowhere.html: No such file or directory\n"));
    write_page(*state, "page", "\xFF");
    assert_int_equal(render_to(*state, "page", tree, &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/page.html: no UTF-8, or with a NUL\n"));
    write_bytes(*state, "page", BYTES("a\0b"));
    assert_int_equal(render_to(*state, "page", tree, &out), ERR_UNAVAILABLE);
    char *large = arena_alloc(*state, 262145);
    memset(large, 'x', 262145);
    write_bytes(*state, "page", large, 262145);
    assert_int_equal(render_to(*state, "page", tree, &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/page.html: larger than 256 KiB\n"));
    write_bytes(*state, "page", large, 262144);
    assert_int_equal(strlen(render(*state, "page", tree)), 262144);
    const char *path = arena_printf(*state, "%s/folder.html", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(render_to(*state, "folder", tree, &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "/folder.html: no regular file\n"));
}

static void
sections_nest_up_to_32_deep(void **state)
{
    struct buf text = buf_new(*state, 10000);
    for (int i = 0; i < 32; i++)
        buf_text(&text, "{{#yes}}");
    for (int i = 0; i < 32; i++)
        buf_text(&text, "{{/yes}}");
    assert_string_equal(page(*state, buf_str(&text), example(*state)), "");
    write_page(*state, "page", arena_printf(*state, "{{#yes}}%s{{/yes}}", buf_str(&text)));
    struct buf out = buf_new(*state, 1000);
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
    assert_non_null(strstr(said, "sections are nested too deep at yes"));
}

static void
a_page_that_changed_on_the_disk_is_read_anew(void **state)
{
    assert_string_equal(page(*state, "one {{count}}", example(*state)), "one -3");
    assert_string_equal(page(*state, "two {{count}}", example(*state)), "two -3");
    struct buf out = buf_new(*state, 1000);
    write_page(*state, "page", "{{");
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
    assert_string_equal(page(*state, "mended", example(*state)), "mended");
    unlink(arena_printf(*state, "%s/page.html", folder));
    assert_int_equal(render_to(*state, "page", example(*state), &out), ERR_UNAVAILABLE);
}

static void
a_page_that_did_not_change_is_not_read_again(void **state)
{
    write_page(*state, "page", "one {{count}}");
    assert_string_equal(render(*state, "page", example(*state)), "one -3");
    write_page(*state, "other", "other");
    assert_string_equal(render(*state, "other", example(*state)), "other");
    /* other bytes under the same time and size can only be missed by whoever does not read */
    written_pages -= 2;
    write_page(*state, "page", "two {{count}}");
    assert_string_equal(render(*state, "page", example(*state)), "one -3");
    written_pages += 2;
}

/* Puts another version in the place of the page, over and over, until it is ended. */
_Noreturn static void
change_the_page(struct arena *mem)
{
    const char *from = arena_printf(mem, "%s/next.html", folder);
    const char *to = arena_printf(mem, "%s/page.html", folder);
    alarm(20);
    for (char edge = 'a';; edge = edge == 'z' ? 'a' : (char)(edge + 1)) {
        write_page(mem, "next", arena_printf(mem, "%c{{#inner}}{{>page}}{{/inner}}%c", edge, edge));
        if (rename(from, to))
            _exit(1);
    }
}

static void
a_page_that_changes_while_it_is_rendered_is_still_one(void **state)
{
    struct value *tree = value_object(*state);
    struct value *inner = tree;
    for (int i = 0; i < 4; i++)
        inner = value_add_object(inner, "inner");
    value_add_null(inner, "inner");
    write_page(*state, "page", "a{{#inner}}{{>page}}{{/inner}}a");
    pid_t child = fork();
    if (child == 0)
        change_the_page(*state);
    char seen = '\0';
    int changes = 0;
    for (int i = 0; i < 1000000 && changes < 500; i++) {
        struct arena *mem = arena_new();
        const char *text = render(mem, "page", tree);
        assert_int_equal(strlen(text), 10);
        assert_int_equal(strspn(text, (char[]){text[0], '\0'}), 10);
        changes += text[0] != seen;
        seen = text[0];
        arena_free(mem);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    unlink(arena_printf(*state, "%s/next.html", folder));
    assert_int_equal(changes, 500);
}

static void
more_pages_than_are_kept_are_still_right(void **state)
{
    char name[] = "many_aa";
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            name[5] = (char)('a' + i / 26);
            name[6] = (char)('a' + i % 26);
            if (!round)
                write_page(*state, name, arena_printf(*state, "%s {{count}} {{>many_aa}}", name));
            if (i == 0)
                write_page(*state, name, "first");
            assert_string_equal(render(*state, name, example(*state)), i ? arena_printf(*state, "%s -3 first", name) : "first");
        }
    }
}

static void
render_a_path(void)
{
    struct arena *mem = arena_new();
    struct buf out = buf_new(mem, 1000);
    _exit(template_render(mem, folder, "../page", value_object(mem), &out) == OK);
}

static void
a_name_that_is_a_path_is_a_programming_error(void **state)
{
    (void)state;
    int status = unit_in_child(render_a_path, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *file, int type, struct FTW *at)
{
    (void)file, (void)type, (void)at;
    return remove(path);
}

static int
remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(text_stands_as_it_is),
        UNIT(a_name_is_escaped_for_html),
        UNIT(a_name_with_url_is_escaped_for_a_query),
        UNIT(a_number_with_tel_is_what_a_telephone_dials),
        UNIT(a_section_repeats_for_each_element_of_a_list),
        UNIT(a_section_stands_once_for_an_object_or_a_true_value),
        UNIT(an_inverted_section_stands_for_what_is_not),
        UNIT(sections_nest_and_the_innermost_name_counts),
        UNIT(a_comment_leaves_nothing),
        UNIT(a_part_stands_where_it_is_named_and_sees_what_is_around),
        UNIT(parts_nest_up_to_8_deep),
        UNIT(a_fault_of_a_page_is_logged_with_its_place),
        UNIT(half_a_page_is_taken_back),
        UNIT(a_page_over_the_limit_of_the_answer_is_full),
        UNIT(a_file_that_is_no_page_is_refused),
        UNIT(sections_nest_up_to_32_deep),
        UNIT(a_page_that_changed_on_the_disk_is_read_anew),
        UNIT(a_page_that_did_not_change_is_not_read_again),
        UNIT(a_page_that_changes_while_it_is_rendered_is_still_one),
        UNIT(more_pages_than_are_kept_are_still_right),
        UNIT(a_name_that_is_a_path_is_a_programming_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
