/* fuzz_template: any bytes as a page, rendered with one tree. What is written is text, and no '<' is in it that was not in the
 * page; after a refusal nothing is written. Run with -close_fd_mask=2: a refusal is logged. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "page/template.h"

static char folder[] = "/dev/shm/rtcc-fuzz-XXXXXX";
static char file[64];

static void
remove_folder(void)
{
    unlink(file);
    rmdir(folder);
}

/* In memory, which is several times as fast. A time of its own for each page, as the machine's clock is coarser than the
 * fuzzer is fast. */
static void
write_page(const uint8_t *data, size_t bytes)
{
    static long count;
    if (!count) {
        MUST(mkdtemp(folder));
        snprintf(file, sizeof file, "%s/page.html", folder);
        atexit(remove_folder);
    }
    count++;
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    MUST(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    struct timespec now = {.tv_sec = count / 1000, .tv_nsec = count % 1000};
    struct timespec times[2] = {now, now};
    MUST(futimens(fd, times) == 0);
    close(fd);
}

/* The lists shadow themselves inside of their elements, or 32 sections in each other would run for ever. */
static struct value *
example(struct arena *mem)
{
    struct value *tree = value_object(mem);
    value_add_text(tree, "t", "<Ann's> \"&ü");
    value_add_int(tree, "n", -5);
    value_add_flag(tree, "f", false);
    value_add_null(tree, "z");
    value_add_text(value_add_list(tree, "w"), NULL, "<w>");
    struct value *list = value_add_list(tree, "l");
    for (int i = 0; i < 3; i++) {
        struct value *item = value_add_object(list, NULL);
        value_add_int(item, "n", i);
        value_add_null(item, "l");
    }
    value_add_text(value_add_object(tree, "o"), "t", "<inner>");
    return tree;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    struct buf out = buf_new(mem, 1 << 20);
    buf_text(&out, "before");
    write_page(data, bytes);
    enum err err = template_render(mem, folder, "page", example(mem), &out);
    MUST(err == OK || err == ERR_UNAVAILABLE);
    if (err) {
        MUST(strcmp(buf_str(&out), "before") == 0 && out.len == 6);
    } else if (!out.full) {
        MUST(text_is_utf8(out.data, out.len));
        MUST(memchr(data, '<', bytes) || !memchr(out.data, '<', out.len));
        MUST(memchr(data, '{', bytes) || (out.len == 6 + bytes && (!bytes || memcmp(out.data + 6, data, bytes) == 0)));
    }
    arena_free(mem);
    return 0;
}
