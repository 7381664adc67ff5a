/* settings: one table says everything about a key; reading, the default file, the sentences about faults and the test of the
 * manual page walk it. A new setting is a member of the struct, a line here and a paragraph in rtcc.conf.5.
 *
 * The file is read line by line; the first fault ends it, because a half-understood file is worse than none.
 * Rejected: an ini or JSON parser (flat keys need neither), and environment variables for single keys (a web server that passes
 * on HTTP_ variables is one misspelling away from letting a customer set them). */
#include "io/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hours.h"
#include "base/log.h"
#include "base/text.h"

enum { FILE_MAX_BYTES = 65536, WHY_MAX_BYTES = 1024, QUOTED_MAX_BYTES = 80 };

static const char default_path[] = "/etc/rtcc/rtcc.conf";
static const char zones[] = "/usr/share/zoneinfo"; /* Debian's package tzdata */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* ── kinds of values ── */

enum kind { LINE, FOLDER, FILE_NAME, WORD, SERVER, URL, DIAL, COUNTRY, FIELDS, TOPICS, HOURS, ZONE, HOSTS, FLAG, NUMBER };

static bool
is_only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static bool
is_line(const char *text)
{
    return !text_has_control(text, true);
}

static bool
is_path(const char *text)
{
    return *text == '/' && is_line(text);
}

static bool
is_word(const char *text)
{
    return is_only(text, LETTERS DIGITS "_");
}

static bool
is_server(const char *text)
{
    return *text && strchr(LETTERS, *text) && is_only(text, LETTERS DIGITS ".-");
}

/* No password, query or fragment: programs put their own path and query behind it. */
static bool
is_url(const char *text)
{
    const char *host = text_starts(text, "http://") ? text + 7 : text_starts(text, "https://") ? text + 8 : "";
    return *host && strchr(LETTERS DIGITS "[", *host) && is_only(host, LETTERS DIGITS ".-_~:[]/%") &&
           host[strlen(host) - 1] != '/';
}

static bool
is_dial(const char *text)
{
    return is_only(text, DIGITS "+ -.()/") && strpbrk(text, DIGITS);
}

static bool
is_country(const char *text)
{
    return is_only(text, DIGITS);
}

/* Whether every part between commas (without blanks around it) is right; an empty part is not. */
static bool
each_part(const char *text, bool (*is_right)(const char *part))
{
    char part[256];
    for (;;) {
        text += strspn(text, " ");
        size_t bytes = strcspn(text, ",");
        size_t kept = bytes;
        while (kept && text[kept - 1] == ' ')
            kept--;
        if (!kept || kept >= sizeof part)
            return false;
        memcpy(part, text, kept);
        part[kept] = '\0';
        if (!is_right(part))
            return false;
        if (!text[bytes])
            return true;
        text += bytes + 1;
    }
}

static bool
is_field(const char *part)
{
    static const char *const fields[] = {"name", "phone", "question", "topic", "email", "language", "consent"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (text_same(part, fields[i]))
            return true;
    return false;
}

static bool
is_host(const char *part)
{
    return is_only(part, LETTERS DIGITS ".-:[]");
}

static bool
is_fields(const char *text)
{
    return each_part(text, is_field);
}

static bool
is_topics(const char *text)
{
    return each_part(text, is_line);
}

static bool
is_hosts(const char *text)
{
    return each_part(text, is_host);
}

static bool
is_hours(const char *text)
{
    struct hours ignored;
    return hours_read(text, &ignored);
}

/* libc takes a name that it does not know for UTC and says nothing. */
static bool
is_zone(const char *text)
{
    char path[200] = "";
    struct stat file;
    bool is_name = strchr(LETTERS, *text) && is_only(text, LETTERS DIGITS "_+-/") && strlen(text) < 100;
    snprintf(path, sizeof path, "%s/%s", zones, is_name ? text : "?");
    return stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

/* For a person: "KEY is WORDS …". Texts with min 0 may also be empty, whatever their kind. */
static const struct kind_rule {
    bool (*is_right)(const char *text);
    const char *words;
} kinds[] = {
    [LINE] = {is_line, "text in one line"},
    [FOLDER] = {is_path, "an absolute path of a folder"},
    [FILE_NAME] = {is_path, "an absolute path of a file"},
    [WORD] = {is_word, "letters (A-Z, a-z), digits and '_'"},
    [SERVER] = {is_server, "a letter, then letters, digits, '.' and '-'"},
    [URL] = {is_url, "a URL that starts with http:// or https:// and has no '/' at its end, no query and no password"},
    [DIAL] = {is_dial, "a telephone number: digits, '+', blanks, '-', '.', '/', brackets"},
    [COUNTRY] = {is_country, "digits without '+'"},
    [FIELDS] = {is_fields, "a list, parted by commas, out of name, phone, question, topic, email, language, consent"},
    [TOPICS] = {is_topics, "a list of topics, parted by commas"},
    [HOURS] = {is_hours, "opening hours such as Mo-Fr 09:00-12:30, Mo-Th 13:30-17:00"},
    [ZONE] = {is_zone, "a time zone that /usr/share/zoneinfo has, such as Europe/Paris"},
    [HOSTS] = {is_hosts, "a list of host names, parted by commas"},
    [FLAG] = {NULL, "on or off (yes, no, true, false, 1 and 0 do as well)"},
    [NUMBER] = {NULL, "a whole number"},
};

/* ── the keys ── */

/* min and max: of a NUMBER its bounds, of every other kind but FLAG the length in characters. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *otherwise;
    int64_t min;
    int64_t max;
    const char *unit; /* of a NUMBER */
    const char *about;
} keys[] = {
#define AT(member) offsetof(struct settings, member)
    {"state_dir", FOLDER, AT(state_dir), "/var/lib/rtcc", 1, 1000, NULL, "Databases, bell, files of customers, keys"},
    {"pages_dir", FOLDER, AT(pages_dir), "/usr/share/rtcc/htdocs", 1, 1000, NULL, "The pages; their templates are under it"},
    {"instance", WORD, AT(instance), "rtcc", 1, 32, NULL, "In the names of cookies: two instances on one host need two names"},
    {"site_name", LINE, AT(site_name), "Support", 1, 100, NULL, "What the pages call this site"},
    {"public_url", URL, AT(public_url), "", 0, 200, NULL, "How browsers reach this site; empty: as the Host header says"},
    {"server_name", SERVER, AT(server_name), "server", 1, 64, NULL, "Ends the ids of conferences"},
    {"owner", LINE, AT(owner), "user1@domain.com", 1, 255, NULL, "Owner of a conference when the request names none"},
    {"phone_number", DIAL, AT(phone_number), "", 0, 40, NULL, "The number to call when all else fails; empty: none"},
    {"collaboration_url", URL, AT(collaboration_url), "http://127.0.0.1", 1, 200, NULL, "Where form_submit finds vcs_*"},
    {"queue_url", URL, AT(queue_url), "http://127.0.0.1", 1, 200, NULL, "Where form_submit finds queue"},
    {"service_key_file", FILE_NAME, AT(service_key_file), "", 0, 1000, NULL,
        "The API key of form_submit, in plain; empty: service.key in state_dir"},
    {"service_ca_file", FILE_NAME, AT(service_ca_file), "", 0, 1000, NULL,
        "Who signs the certificates of these servers, in PEM; empty: as the system has it"},
    {"country", COUNTRY, AT(country), "1", 1, 3, NULL, "Calling code of numbers that customers give without one"},
    {"form_required", FIELDS, AT(form_required), "name,phone", 0, 200, NULL, "Fields that the form insists on"},
    {"consent_text", LINE, AT(consent_text), "I agree that what I write here is kept to help me", 1, 500, NULL,
        "What a customer agrees to, where form_required names consent"},
    {"topics", TOPICS, AT(topics), "", 0, 2000, NULL, "Topics to choose from in the form; empty: free text"},
    {"opening_hours", HOURS, AT(opening_hours), "", 0, 500, NULL, "When somebody is here; empty: always"},
    {"time_zone", ZONE, AT(time_zone), "", 0, 60, NULL, "Where those hours are, and the times on pages; empty: the machine's"},
    {"trusted_hosts", HOSTS, AT(trusted_hosts), "", 0, 1000, NULL, "Host names that count as loopback besides the usual ones"},
    {"trust_loopback", FLAG, AT(trust_loopback), "on", 0, 1, NULL,
        "Whether vcs*, queue and bot_step need no credential from this machine"},
    {"limit_exempt", FLAG, AT(limit_exempt), "on", 0, 1, NULL, "Whether limits by address spare 127.0.0.1, wrong codes excepted"},
    {"hold_s", NUMBER, AT(hold_s), "25", 0, 25, "seconds", "Longest wait of a poll"},
    {"cgi_hold_s", NUMBER, AT(cgi_hold_s), "2", 0, 25, "seconds", "The same under plain CGI, where each wait costs a process"},
    {"cgi_hold_max", NUMBER, AT(cgi_hold_max), "90", 0, 1000, "polls",
        "How many wait at once there; others are answered at once"},
    {"offer_s", NUMBER, AT(offer_s), "20", 1, 3600, "seconds", "Time that an agent has to accept an offer"},
    {"gone_s", NUMBER, AT(gone_s), "45", 1, 3600, "seconds", "An agent without a poll for so long is gone; more than hold_s"},
    {"capacity", NUMBER, AT(capacity), "4", 1, 100, "conferences", "How many at once a new agent is given"},
    {"file_max_bytes", NUMBER, AT(file_max_bytes), "20971520", 1024, INT64_C(1) << 30, "bytes", "Largest file to be sent"},
    {"room_max_bytes", NUMBER, AT(room_max_bytes), "524288000", INT64_C(1) << 20, INT64_C(1) << 40, "bytes",
        "What all files of one conversation may have together"},
    {"session_s", NUMBER, AT(session_s), "43200", 1, 31536000, "seconds", "An agent is signed out so long after signing in"},
    {"password_least", NUMBER, AT(password_least), "8", 1, 64, "characters", "Shortest password that an agent may have"},
    {"password_cost", NUMBER, AT(password_cost), "5", 1, 11, "steps", "Cost of a password's yescrypt hash; each step doubles it"},
#undef AT
};

enum { KEYS = sizeof keys / sizeof keys[0] };

const char *
settings_key(int i, const char **about)
{
    if (i < 0 || i >= KEYS)
        return NULL;
    *about = keys[i].about;
    return keys[i].name;
}

void
settings_print_defaults(FILE *out)
{
    fputs("# rtcc.conf: the settings of rtcc; rtcc.conf(5) says more about each.\n"
          "# Lines are \"key value\"; a line that starts with '#' says nothing. What stands here are the defaults.\n",
        out);
    for (const struct key *key = keys; key < keys + KEYS; key++) {
        fprintf(out, "\n# %s", key->about);
        if (key->kind == NUMBER)
            fprintf(out, " (%s, %" PRId64 " to %" PRId64 ")", key->unit, key->min, key->max);
        fprintf(out, "%s\n#%s%s%s\n", key->kind == FLAG ? " (on or off)." : ".", key->name, *key->otherwise ? " " : "",
            key->otherwise);
    }
}

/* ── reading ── */

struct reading {
    struct arena *mem;
    const char *file;
    int line; /* 0: none in particular */
    int set_at[KEYS];
    struct settings *out;
    char *why;
    size_t why_bytes;
};

static enum err complain(struct reading *r, const char *format, ...) like_printf(2, 3);

static enum err
complain(struct reading *r, const char *format, ...)
{
    char place[32] = "";
    if (r->line)
        snprintf(place, sizeof place, ", line %d", r->line);
    int used = snprintf(r->why, r->why_bytes, "%s%s: ", r->file, place);
    if (used < 0 || (size_t)used >= r->why_bytes)
        return ERR_BAD_PARAMETER;
    va_list args;
    va_start(args, format);
    vsnprintf(r->why + used, r->why_bytes - (size_t)used, format, args);
    va_end(args);
    return ERR_BAD_PARAMETER;
}

static enum err
complain_value(struct reading *r, const struct key *key, const char *value)
{
    char bounds[120] = "";
    if (key->kind == NUMBER)
        snprintf(bounds, sizeof bounds, " from %" PRId64 " to %" PRId64 " (%s)", key->min, key->max, key->unit);
    else if (key->kind != FLAG)
        snprintf(bounds, sizeof bounds, " (%" PRId64 " to %" PRId64 " characters)", key->min, key->max);
    return complain(r, "%s is %s%s, not \"%.*s\".", key->name, kinds[key->kind].words, bounds, QUOTED_MAX_BYTES, value);
}

static enum err
complain_key(struct reading *r, const char *name)
{
    char all[WHY_MAX_BYTES] = "";
    size_t used = 0;
    for (const struct key *key = keys; key < keys + KEYS && used < sizeof all; key++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", key == keys ? "" : ", ", key->name);
    return complain(r, "there is no setting \"%.*s\"; there are %s.", QUOTED_MAX_BYTES, name, all);
}

static bool
flag_read(const char *text, bool *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_same_case(text, words[i])) {
            *out = i % 2;
            return true;
        }
    }
    return false;
}

static enum err
set_value(struct reading *r, const struct key *key, const char *value)
{
    char *member = (char *)r->out + key->offset;
    bool is_right;
    if (key->kind == FLAG) {
        is_right = flag_read(value, (bool *)(void *)member);
    } else if (key->kind == NUMBER) {
        is_right = text_int(value, key->min, key->max, (int64_t *)(void *)member) == OK;
    } else {
        int64_t chars = (int64_t)text_chars(value);
        is_right = chars >= key->min && chars <= key->max && (!chars || kinds[key->kind].is_right(value));
        *(const char **)(void *)member = value;
    }
    return is_right ? OK : complain_value(r, key, value);
}

static enum err
read_line(struct reading *r, const char *line, size_t bytes)
{
    while (bytes && strchr(" \t\r", line[bytes - 1]))
        bytes--;
    for (; bytes && strchr(" \t", *line); line++)
        bytes--;
    if (!bytes || *line == '#')
        return OK;
    char *name = arena_strndup(r->mem, line, bytes);
    char *value = name + strcspn(name, " \t");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    for (int i = 0; i < KEYS; i++) {
        if (!text_same(name, keys[i].name))
            continue;
        if (r->set_at[i])
            return complain(r, "%s is set in line %d already.", name, r->set_at[i]);
        r->set_at[i] = r->line;
        return set_value(r, &keys[i], value);
    }
    return complain_key(r, name);
}

static enum err
read_lines(struct reading *r, const char *text, size_t bytes)
{
    const char *end = text + bytes;
    enum err err = OK;
    while (text < end && !err) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        r->line++;
        err = text_is_utf8(text, (size_t)(line_end - text)) ? read_line(r, text, (size_t)(line_end - text))
                                                            : complain(r, "this line is no UTF-8, or has a NUL in it.");
        text = newline ? newline + 1 : end;
    }
    return err;
}

/* What no key says alone. */
static enum err
check_together(struct reading *r)
{
    int gone_at = 0;
    int hold_at = 0;
    for (int i = 0; i < KEYS; i++) {
        if (keys[i].offset == offsetof(struct settings, gone_s))
            gone_at = r->set_at[i];
        if (keys[i].offset == offsetof(struct settings, hold_s))
            hold_at = r->set_at[i];
    }
    r->line = gone_at > hold_at ? gone_at : hold_at;
    if (r->out->gone_s > r->out->hold_s)
        return OK;
    return complain(r,
        "gone_s (%" PRId64 " seconds) must be more than hold_s (%" PRId64 " seconds): an agent whose poll waits is not gone.",
        r->out->gone_s, r->out->hold_s);
}

enum err
settings_parse(struct arena *mem, const char *file, const char *text, size_t bytes, struct settings *out, char *why,
    size_t why_bytes)
{
    struct settings read = {.hold_s = 0};
    struct reading r = {.mem = mem, .file = file, .out = &read, .why = why, .why_bytes = why_bytes};
    enum err err = OK;
    for (const struct key *key = keys; key < keys + KEYS && !err; key++)
        err = set_value(&r, key, key->otherwise);
    if (!err)
        err = bytes > FILE_MAX_BYTES ? complain(&r, "larger than %d bytes.", FILE_MAX_BYTES) : read_lines(&r, text, bytes);
    if (!err)
        err = check_together(&r);
    if (!err)
        *out = read;
    return err;
}

/* Up to one byte more than allowed, so that settings_parse() sees it; -1 with errno. */
static ssize_t
read_file(const char *path, char text[FILE_MAX_BYTES + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t have = 0;
    ssize_t got;
    while ((got = read(fd, text + have, (size_t)(FILE_MAX_BYTES + 1 - have))) > 0)
        have += got;
    int why = errno;
    close(fd);
    errno = why;
    return got < 0 ? -1 : have;
}

/* The texts of settings live as long as the process. */
static struct arena *
settings_memory(void)
{
    static struct arena *kept;
    if (!kept)
        kept = arena_new();
    return kept;
}

enum err
settings_read(const char *path, struct settings *out, char *why, size_t why_bytes)
{
    struct arena *mem = settings_memory();
    char *text = arena_alloc(mem, FILE_MAX_BYTES + 1);
    ssize_t bytes = read_file(path, text);
    if (bytes >= 0)
        return settings_parse(mem, path, text, (size_t)bytes, out, why, why_bytes);
    int error = errno;
    snprintf(why, why_bytes, "%s: %s.", path, strerror(error));
    return error == ENOENT || error == ENOTDIR ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
}

/* libc's local time is the site's from now on. */
static void
use_zone(const struct settings *s)
{
    if (*s->time_zone && setenv("TZ", s->time_zone, 1) != 0)
        log_fatal("out of memory");
    tzset();
}

const char *
settings_file(void)
{
    const char *named = getenv("RTCC_CONF");
    return named && *named ? named : default_path;
}

const struct settings *
settings_load(void)
{
    static struct settings settings;
    char why[WHY_MAX_BYTES];
    enum err err = settings_read(settings_file(), &settings, why, sizeof why);
    if (err == ERR_NOT_FOUND && settings_file() == default_path)
        err = settings_parse(settings_memory(), default_path, "", 0, &settings, why, sizeof why);
    if (err == ERR_NOT_FOUND)
        log_fatal("%s RTCC_CONF names this file: name one that is there, or make it with 'rtcc settings'.", why);
    if (err)
        log_fatal("%s", why);
    use_zone(&settings);
    return &settings;
}
