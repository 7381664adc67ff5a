/* replay.c: see replay.h. A file is a node: what of it is safe, and the records since its last sync. Names are kept twice, as the
 * programs see them and as they are safe, and the changes between the two in their order.
 *
 * Memory is not given back before the end, but for images. A copy of the whole disk for each cut was rejected: what is safe is
 * kept and moved forward, so that a cut costs no more than its image. */
#include "replay.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HALF = 500, CERTAIN = 1000 };

struct content {
    uint8_t *data;
    size_t bytes;
    size_t room;
};

struct node {
    uint64_t inode;
    const char *name; /* by which it was first known */
    bool is_folder;
    struct content safe;
    uint64_t *pending; /* places of records */
    size_t count;
    size_t room;
};

struct name {
    const char *text;
    struct node *node;
};

struct names {
    struct name *items;
    size_t count;
    size_t room;
};

struct renaming {
    uint64_t place;
    struct node *folder;
    const char *gone; /* NULL: none */
    struct name made; /* text NULL: none */
};

struct replay {
    const struct disk_head *head;
    enum replay_without without;
    uint64_t place;
    struct node *root;
    struct node **nodes;
    size_t node_count;
    size_t node_room;
    struct names seen;
    struct names safe;
    struct renaming *changes;
    size_t change_count;
    size_t change_room;
};

uint64_t
replay_chance(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % below;
}

/* Room for one more item at the end of a list. */
static void *
more(void *items, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return items;
    *room = *room == 0 ? 16 : *room * 2;
    items = realloc(items, *room * bytes);
    assert(items);
    return items;
}

/* ── content ── */

static void
resize(struct content *c, size_t bytes)
{
    if (bytes > c->room) {
        c->room = bytes * 2;
        c->data = realloc(c->data, c->room);
        assert(c->data);
    }
    if (bytes > c->bytes)
        memset(c->data + c->bytes, 0, bytes - c->bytes);
    c->bytes = bytes;
}

static void
write_part(struct content *c, uint64_t at, const char *data, size_t bytes)
{
    if (at + bytes > c->bytes)
        resize(c, at + bytes);
    memcpy(c->data + at, data, bytes);
}

static void
apply(struct content *c, const struct disk_record *r)
{
    if (r->kind == DISK_WRITE)
        write_part(c, r->at, r->data, r->bytes);
    else
        resize(c, r->kind == DISK_CUT ? r->at : 0);
}

/* Each sector for itself, where the file has its borders. */
static void
apply_torn(struct content *c, const struct disk_record *r, uint64_t *seed, uint64_t per_mille)
{
    size_t done = 0;
    while (done < r->bytes) {
        size_t bytes = SECTOR_BYTES - (r->at + done) % SECTOR_BYTES;
        if (bytes > r->bytes - done)
            bytes = r->bytes - done;
        if (replay_chance(seed, CERTAIN) < per_mille)
            write_part(c, r->at + done, r->data + done, bytes);
        done += bytes;
    }
}

/* ── names ── */

static struct name *
find_name(const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].text, text) == 0)
            return &names->items[i];
    return NULL;
}

static void
change_names(struct names *names, const struct renaming *c)
{
    struct name *gone = c->gone == NULL ? NULL : find_name(names, c->gone);
    struct name *made = c->made.text == NULL ? NULL : find_name(names, c->made.text);
    if (made != NULL) {
        *made = c->made;
    } else if (c->made.text != NULL) {
        names->items = more(names->items, names->count, &names->room, sizeof *names->items);
        names->items[names->count++] = c->made;
        gone = c->gone == NULL ? NULL : find_name(names, c->gone);
    }
    if (gone != NULL)
        *gone = names->items[--names->count];
}

static struct node *
folder_of(const struct replay *rp, const char *text)
{
    const char *slash = strrchr(text, '/');
    if (slash == NULL)
        return rp->root;
    for (size_t i = 0; i < rp->seen.count; i++) {
        const struct name *n = &rp->seen.items[i];
        if (n->node->is_folder && strlen(n->text) == (size_t)(slash - text) && strncmp(n->text, text, strlen(n->text)) == 0)
            return n->node;
    }
    return rp->root;
}

static void
note_change(struct replay *rp, uint64_t place, const char *gone, struct name made)
{
    rp->changes = more(rp->changes, rp->change_count, &rp->change_room, sizeof *rp->changes);
    struct renaming *c = &rp->changes[rp->change_count++];
    *c = (struct renaming){.place = place, .folder = folder_of(rp, gone == NULL ? made.text : gone), .gone = gone, .made = made};
    change_names(&rp->seen, c);
}

/* ── records ── */

static struct node *
new_node(struct replay *rp, uint64_t inode, const char *name, bool is_folder)
{
    struct node *node = calloc(1, sizeof *node);
    assert(node);
    *node = (struct node){.inode = inode, .name = name, .is_folder = is_folder};
    rp->nodes = more(rp->nodes, rp->node_count, &rp->node_room, sizeof *rp->nodes);
    rp->nodes[rp->node_count++] = node;
    return node;
}

/* The last of that number: an inode may be used again. */
static struct node *
node_of(const struct replay *rp, uint64_t inode)
{
    for (size_t i = rp->node_count; i-- > 0;)
        if (rp->nodes[i]->inode == inode)
            return rp->nodes[i];
    return NULL;
}

static void
add_pending(struct node *node, uint64_t place)
{
    node->pending = more(node->pending, node->count, &node->room, sizeof *node->pending);
    node->pending[node->count++] = place;
}

static void
play_open(struct replay *rp, const struct disk_record *r, uint64_t place)
{
    struct name *known = find_name(&rp->seen, r->data);
    struct node *node = known == NULL ? NULL : known->node;
    if (r->data[0] == '\0') {
        rp->root->inode = r->inode;
        return;
    }
    if (node == NULL || node->inode != r->inode) {
        node = new_node(rp, r->inode, r->data, false);
        note_change(rp, place, NULL, (struct name){r->data, node});
    } else if (r->at) {
        add_pending(node, place);
    }
}

static bool
is_without(const struct replay *rp, const struct node *node)
{
    size_t bytes = strlen(node->name);
    switch (rp->without) {
    case WITHOUT_NONE:
        return false;
    case WITHOUT_WAL:
        return bytes > 4 && strcmp(node->name + bytes - 4, "-wal") == 0;
    case WITHOUT_FOLDERS:
        return node->is_folder && node != rp->root; /* the database's own names stay */
    case WITHOUT_FILES:
        return !node->is_folder && strncmp(node->name, "files/", 6) == 0;
    case WITHOUT_ANY:
        return true;
    }
    return false;
}

static void
sync_content(struct replay *rp, struct node *node, uint64_t begin)
{
    size_t left = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (node->pending[i] < begin)
            apply(&node->safe, replay_record(rp, node->pending[i]));
        else
            node->pending[left++] = node->pending[i];
    }
    node->count = left;
}

static void
sync_names(struct replay *rp, const struct node *folder, uint64_t begin)
{
    size_t left = 0;
    for (size_t i = 0; i < rp->change_count; i++) {
        if (rp->changes[i].folder == folder && rp->changes[i].place < begin)
            change_names(&rp->safe, &rp->changes[i]);
        else
            rp->changes[left++] = rp->changes[i];
    }
    rp->change_count = left;
}

static void
play(struct replay *rp, const struct disk_record *r, uint64_t place)
{
    struct node *node = node_of(rp, r->inode);
    switch ((enum disk_kind)r->kind) {
    case DISK_OPEN:
        play_open(rp, r, place);
        break;
    case DISK_WRITE:
    case DISK_CUT:
        assert(node);
        add_pending(node, place);
        break;
    case DISK_SYNC_BEGIN:
        break;
    case DISK_SYNC_END:
        assert(node);
        if (is_without(rp, node))
            break;
        sync_content(rp, node, r->at);
        if (node->is_folder)
            sync_names(rp, node, r->at);
        break;
    case DISK_UNLINK:
        note_change(rp, place, r->data, (struct name){NULL, NULL});
        break;
    case DISK_RENAME: {
        const char *old = r->data + strlen(r->data) + 1;
        struct name *known = find_name(&rp->seen, old);
        note_change(rp, place, old, (struct name){r->data, known == NULL ? NULL : known->node});
        break;
    }
    case DISK_MKDIR:
        if (r->data[0] != '\0')
            note_change(rp, place, NULL, (struct name){r->data, new_node(rp, r->inode, r->data, true)});
        break;
    }
}

/* ── for others ── */

struct replay *
replay_open(const char *path, enum replay_without without)
{
    struct stat st;
    struct replay *rp = calloc(1, sizeof *rp);
    int fd = open(path, O_RDONLY);
    assert(rp && fd >= 0 && fstat(fd, &st) == 0);
    void *mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    assert(mapped != MAP_FAILED);
    close(fd);
    rp->head = mapped;
    rp->without = without;
    rp->place = replay_begin();
    rp->root = new_node(rp, 0, "", true);
    return rp;
}

uint64_t
replay_begin(void)
{
    return sizeof(struct disk_head);
}

const struct disk_record *
replay_record(const struct replay *rp, uint64_t place)
{
    return place < rp->head->next ? (const struct disk_record *)(const void *)((const char *)rp->head + place) : NULL;
}

uint64_t
replay_next(const struct replay *rp, uint64_t place)
{
    return place + ((sizeof(struct disk_record) + replay_record(rp, place)->bytes + 8) & ~(uint64_t)7);
}

void
replay_until(struct replay *rp, uint64_t place)
{
    for (; rp->place < place; rp->place = replay_next(rp, rp->place))
        play(rp, replay_record(rp, rp->place), rp->place);
}

/* ── the cut ── */

static struct content
content_at(const struct replay *rp, const struct node *node, enum replay_mode mode, uint64_t *seed, uint64_t per_mille)
{
    struct content c = {0};
    if (node->safe.bytes > 0)
        write_part(&c, 0, (const char *)node->safe.data, node->safe.bytes);
    for (size_t i = 0; i < node->count; i++) {
        const struct disk_record *r = replay_record(rp, node->pending[i]);
        if (mode == REPLAY_TORN && r->kind == DISK_WRITE)
            apply_torn(&c, r, seed, per_mille);
        else if (replay_chance(seed, CERTAIN) < per_mille)
            apply(&c, r);
    }
    return c;
}

struct image
replay_cut(const struct replay *rp, enum replay_mode mode, uint64_t seed)
{
    struct names names = {0};
    uint64_t per_mille = mode == REPLAY_DROPPED ? 0
                         : mode == REPLAY_ALL   ? CERTAIN
                                                : HALF / 5 + replay_chance(&seed, CERTAIN - HALF / 5);
    for (size_t i = 0; i < rp->safe.count; i++)
        change_names(&names, &(struct renaming){.made = rp->safe.items[i]});
    for (size_t i = 0; i < rp->change_count; i++)
        if (replay_chance(&seed, CERTAIN) < per_mille)
            change_names(&names, &rp->changes[i]);
    struct image image = {.files = calloc(names.count + 1, sizeof *image.files)};
    assert(image.files);
    for (size_t i = 0; i < names.count; i++) {
        const struct name *n = &names.items[i];
        const char *slash = strrchr(n->text, '/');
        const struct node *folder = slash == NULL ? NULL : folder_of(rp, n->text);
        if (n->node == NULL || (folder != NULL && find_name(&names, folder->name) == NULL))
            continue;
        struct content c = content_at(rp, n->node, mode, &seed, per_mille);
        image.files[image.count++] = (struct image_file){n->text, n->node->is_folder, c.data, c.bytes};
    }
    free(names.items);
    return image;
}

void
image_free(struct image *image)
{
    for (size_t i = 0; i < image->count; i++)
        free(image->files[i].data);
    free(image->files);
    *image = (struct image){0};
}
