/* The settings: what stands in the file arrives, what is wrong is refused with a sentence that helps, and the default file and
 * the manual page say what the table says. Runs in the root of the tree, where conf/ is. */
#include "unit.h"

#include "io/settings.h"

static struct arena *mem;
static struct settings settings;
static char why[1024];

static void
begin(void **state)
{
    mem = *state;
    memset(&settings, 0, sizeof settings);
    *why = '\0';
}

static enum err
parse(const char *text)
{
    return settings_parse(mem, "x.conf", text, strlen(text), &settings, why, sizeof why);
}

static void
assert_wrong(const char *text, const char *sentence)
{
    assert_int_equal(parse(text), ERR_BAD_PARAMETER);
    assert_string_equal(why, sentence);
}

static void
assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)))
        assert_string_equal(text, start);
}

static char *
whole_file(FILE *file)
{
    char *text = arena_alloc(mem, 100000);
    assert_non_null(file);
    size_t bytes = fread(text, 1, 99999, file);
    assert_true(bytes > 0 && bytes < 99999);
    fclose(file);
    return text;
}

static char *
defaults_as_printed(void)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    settings_print_defaults(file);
    rewind(file);
    return whole_file(file);
}

static void
an_empty_file_gives_the_defaults(void **state)
{
    begin(state);
    assert_int_equal(parse(""), OK);
    assert_string_equal(settings.state_dir, "/var/lib/rtcc");
    assert_string_equal(settings.pages_dir, "/usr/share/rtcc/htdocs");
    assert_string_equal(settings.instance, "rtcc");
    assert_string_equal(settings.public_url, "");
    assert_string_equal(settings.server_name, "server");
    assert_string_equal(settings.owner, "user1@domain.com");
    assert_string_equal(settings.collaboration_url, "http://127.0.0.1");
    assert_string_equal(settings.queue_url, "http://127.0.0.1");
    assert_string_equal(settings.country, "1");
    assert_string_equal(settings.form_required, "name,phone");
    assert_true(settings.trust_loopback);
    assert_true(settings.limit_exempt);
    assert_int_equal(settings.hold_s, 25);
    assert_int_equal(settings.cgi_hold_s, 2);
    assert_int_equal(settings.offer_s, 20);
    assert_int_equal(settings.gone_s, 45);
    assert_int_equal(settings.capacity, 4);
    assert_int_equal(settings.file_max_bytes, 20971520);
    assert_int_equal(settings.room_max_bytes, 524288000);
    assert_int_equal(settings.session_s, 43200);
    assert_int_equal(settings.password_cost, 5);
}

static void
values_reach_to_the_end_of_the_line(void **state)
{
    begin(state);
    assert_int_equal(parse("# a comment\n"
                           "\n"
                           "site_name \t Jörg & Söhne # not a comment \t\r\n"
                           "  hold_s 3\n"
                           "\ttrust_loopback No\n"
                           " \t# another comment\n"
                           "form_required\n"
                           "topics  Bill, Fault"),
        OK);
    assert_string_equal(settings.site_name, "Jörg & Söhne # not a comment");
    assert_int_equal(settings.hold_s, 3);
    assert_false(settings.trust_loopback);
    assert_string_equal(settings.form_required, "");
    assert_string_equal(settings.topics, "Bill, Fault");
}

static void
flags_have_eight_spellings(void **state)
{
    begin(state);
    static const char *const words[] = {"off", "ON", "no", "Yes", "false", "true", "0", "1"};
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(parse(arena_printf(mem, "limit_exempt %s\n", words[i])), OK);
        assert_int_equal(settings.limit_exempt, i % 2);
    }
    assert_wrong("limit_exempt maybe\n",
        "x.conf, line 1: limit_exempt is on or off (yes, no, true, false, 1 and 0 do as well), not \"maybe\".");
}

static void
an_unknown_key_is_answered_with_all_keys(void **state)
{
    begin(state);
    assert_int_equal(parse("\n\ncolour red\n"), ERR_BAD_PARAMETER);
    assert_starts(why, "x.conf, line 3: there is no setting \"colour\"; there are state_dir, pages_dir, ");
    const char *about;
    for (int i = 0; settings_key(i, &about); i++)
        assert_non_null(strstr(why, settings_key(i, &about)));
    assert_string_equal(strrchr(why, ','), ", password_cost.");
}

static void
a_wrong_value_is_answered_with_what_is_allowed(void **state)
{
    begin(state);
    assert_wrong("hold_s soon\n", "x.conf, line 1: hold_s is a whole number from 0 to 25 (seconds), not \"soon\".");
    assert_wrong("#\nhold_s 26\n", "x.conf, line 2: hold_s is a whole number from 0 to 25 (seconds), not \"26\".");
    assert_wrong("hold_s -1\n", "x.conf, line 1: hold_s is a whole number from 0 to 25 (seconds), not \"-1\".");
    assert_wrong("hold_s 2 5\n", "x.conf, line 1: hold_s is a whole number from 0 to 25 (seconds), not \"2 5\".");
    assert_wrong("capacity\n", "x.conf, line 1: capacity is a whole number from 1 to 100 (conferences), not \"\".");
    assert_wrong("instance a-b\n",
        "x.conf, line 1: instance is letters (A-Z, a-z), digits and '_' (1 to 32 characters), not \"a-b\".");
    assert_wrong("state_dir run\n",
        "x.conf, line 1: state_dir is an absolute path of a folder (1 to 1000 characters), not \"run\".");
    assert_wrong("form_required name,hat\n",
        "x.conf, line 1: form_required is a list, parted by commas, out of name, phone, question, topic, email, language, consent"
        " (0 to 200 characters), not \"name,hat\".");
}

static void
hours_are_a_week_and_a_zone_is_one_that_there_is(void **state)
{
    begin(state);
    static const char *const right[] = {"opening_hours Mo-Fr 09:00-12:30, Mo-Th 13:30-17:00", "opening_hours",
        "time_zone America/Argentina/Buenos_Aires", "time_zone Etc/GMT+5", "time_zone UTC", "time_zone"};
    static const char *const wrong[] = {"opening_hours always", "time_zone Europe", "time_zone ../../../etc/hostname",
        "time_zone /etc/hostname", "time_zone europe/paris", "time_zone Europe/Paris Europe/Rome"};
    for (size_t i = 0; i < COUNT(right); i++)
        CHECK(parse(right[i]) == OK, "refused: %s: %s", right[i], why);
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(parse(wrong[i]) == ERR_BAD_PARAMETER, "taken: %s", wrong[i]);
    assert_wrong("\nopening_hours Mo 9-17\n", "x.conf, line 2: opening_hours is opening hours such as Mo-Fr 09:00-12:30, Mo-Th "
                                              "13:30-17:00 (0 to 500 characters), not \"Mo 9-17\".");
    assert_wrong("time_zone Mars/Olympus\n", "x.conf, line 1: time_zone is a time zone that /usr/share/zoneinfo has, such as "
                                             "Europe/Paris (0 to 60 characters), not \"Mars/Olympus\".");
}

static void
each_kind_of_value_has_its_limits(void **state)
{
    begin(state);
    static const char *const wrong[] = {
        "instance",
        "instance 123456789012345678901234567890123",
        "server_name 1server",
        "server_name a_b",
        "server_name",
        "country 1234",
        "country +1",
        "country",
        "queue_url 127.0.0.1",
        "queue_url ftp://127.0.0.1",
        "queue_url http://",
        "queue_url http://user:word@host",
        "queue_url http://host/",
        "queue_url http://host/?a=b",
        "queue_url http://a b",
        "queue_url",
        "public_url support.example.com",
        "phone_number call me",
        "phone_number +",
        "form_required name,,phone",
        "topics Bill,",
        "trusted_hosts a host",
        "trusted_hosts a,b/c",
        "site_name",
        "site_name \x01",
        "file_max_bytes 1023",
        "room_max_bytes 1048575",
        "room_max_bytes 1099511627777",
        "password_cost 12",
        "password_cost 0",
        "session_s 99999999999999999999",
        "service_key_file key",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CHECK(parse(wrong[i]) == ERR_BAD_PARAMETER, "taken: %s", wrong[i]);
        assert_starts(why, "x.conf, line 1: ");
    }
    static const char *const right[] = {
        "instance A_9",
        "server_name A1.b-c",
        "country 358",
        "queue_url https://[::1]:8443/base",
        "public_url http://h:80",
        "phone_number +1 (603) 555-0100",
        "form_required consent , email",
        "trusted_hosts box,[::1]:8080",
        "hold_s 0",
        "file_max_bytes 1073741824",
        "password_cost 11",
        "service_key_file /etc/rtcc/key",
        "public_url",
    };
    for (size_t i = 0; i < COUNT(right); i++)
        CHECK(parse(right[i]) == OK, "refused: %s", why);
}

static void
a_limit_of_length_counts_characters(void **state)
{
    begin(state);
    const char *line = "site_name ";
    for (int i = 0; i < 100; i++)
        line = arena_printf(mem, "%sö", line);
    assert_int_equal(parse(line), OK);
    assert_int_equal(parse(arena_printf(mem, "%sö", line)), ERR_BAD_PARAMETER);
}

static void
a_key_given_twice_is_a_fault(void **state)
{
    begin(state);
    assert_wrong("hold_s 3\n\nhold_s 4\n", "x.conf, line 3: hold_s is set in line 1 already.");
}

static void
an_agent_cannot_be_gone_while_his_poll_waits(void **state)
{
    begin(state);
    assert_wrong("gone_s 20\n",
        "x.conf, line 1: gone_s (20 seconds) must be more than hold_s (25 seconds): an agent whose poll waits is not gone.");
    assert_int_equal(parse("gone_s 3\nhold_s 2\n"), OK);
    assert_int_equal(settings.gone_s, 3);
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
    begin(state);
    assert_wrong("hold_s 3\nsite_name \xFF\n", "x.conf, line 2: this line is no UTF-8, or has a NUL in it.");
    static const char nul[] = "site_name a\0b\n";
    assert_int_equal(settings_parse(mem, "x.conf", nul, sizeof nul - 1, &settings, why, sizeof why), ERR_BAD_PARAMETER);
    assert_string_equal(why, "x.conf, line 1: this line is no UTF-8, or has a NUL in it.");
}

static void
a_file_of_more_than_64_kib_is_refused(void **state)
{
    begin(state);
    char *text = arena_alloc(mem, 65538);
    memset(text, '\n', 65537);
    assert_int_equal(settings_parse(mem, "x.conf", text, 65536, &settings, why, sizeof why), OK);
    assert_int_equal(settings_parse(mem, "x.conf", text, 65537, &settings, why, sizeof why), ERR_BAD_PARAMETER);
    assert_string_equal(why, "x.conf: larger than 65536 bytes.");
}

static void
after_a_fault_nothing_is_set(void **state)
{
    begin(state);
    settings.hold_s = 77;
    assert_int_equal(parse("hold_s 3\ncolour red\n"), ERR_BAD_PARAMETER);
    assert_int_equal(settings.hold_s, 77);
}

static void
a_sentence_that_does_not_fit_is_cut(void **state)
{
    begin(state);
    char small[20];
    memset(small, 'x', sizeof small);
    assert_int_equal(settings_parse(mem, "x.conf", "colour red", 10, &settings, small, 18), ERR_BAD_PARAMETER);
    assert_string_equal(small, "x.conf, line 1: t");
    assert_int_equal(settings_parse(mem, "x.conf", "colour red", 10, &settings, small, 5), ERR_BAD_PARAMETER);
    assert_string_equal(small, "x.co");
}

static void
a_file_that_is_missing_is_named(void **state)
{
    begin(state);
    assert_int_equal(settings_read("/nowhere/rtcc.conf", &settings, why, sizeof why), ERR_NOT_FOUND);
    assert_string_equal(why, "/nowhere/rtcc.conf: No such file or directory.");
    assert_int_equal(settings_read("/proc/version/rtcc.conf", &settings, why, sizeof why), ERR_NOT_FOUND);
    assert_string_equal(why, "/proc/version/rtcc.conf: Not a directory.");
    assert_int_equal(settings_read("/", &settings, why, sizeof why), ERR_UNAVAILABLE);
    assert_string_equal(why, "/: Is a directory.");
}

static void
there_is_no_key_before_the_first_and_behind_the_last(void **state)
{
    const char *about = "unchanged";
    int count = 0;
    (void)state;
    while (settings_key(count, &about))
        count++;
    assert_true(count > 20);
    about = "unchanged";
    assert_null(settings_key(-1, &about));
    assert_null(settings_key(count, &about));
    assert_string_equal(about, "unchanged");
}

static void
load(void)
{
    unsetenv("TZ");
    const struct settings *loaded = settings_load();
    const char *zone = getenv("TZ");
    bool is_right = *loaded->time_zone ? zone && strcmp(zone, loaded->time_zone) == 0 : zone == NULL;
    _exit(loaded->hold_s == 7 && is_right ? 7 : 8);
}

/* The exit status of a program that loads what RTCC_CONF names; `why` is what it said. */
static int
load_in_a_child(const char *named)
{
    setenv("RTCC_CONF", named, 1);
    int status = unit_in_child(load, why, sizeof why);
    unsetenv("RTCC_CONF");
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
load_unnamed(void)
{
    unsetenv("RTCC_CONF");
    _exit(settings_load()->hold_s > 0 ? 7 : 8);
}

static void
load_of_no_name(void)
{
    setenv("RTCC_CONF", "", 1);
    _exit(settings_load()->hold_s > 0 ? 7 : 8);
}

static void
without_a_name_the_file_of_the_system_is_read_and_may_be_missing(void **state)
{
    void (*const ways[])(void) = {load_unnamed, load_of_no_name};
    begin(state);
    for (size_t i = 0; i < COUNT(ways); i++)
        assert_int_equal(WEXITSTATUS(unit_in_child(ways[i], why, sizeof why)), 7);
}

static void
the_environment_names_the_file(void **state)
{
    begin(state);
    char path[] = "/tmp/rtcc-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hold_s 7\n", 9), 9);
    assert_int_equal(load_in_a_child(path), 7);
    assert_int_equal(write(fd, "time_zone UTC\n", 14), 14);
    assert_int_equal(load_in_a_child(path), 7);
    assert_int_equal(write(fd, "colour red\n", 11), 11);
    assert_int_equal(load_in_a_child(path), 1);
    assert_non_null(strstr(why, ", line 3: there is no setting \"colour\""));
    close(fd);
    unlink(path);
    assert_int_equal(load_in_a_child(path), 1);
    assert_non_null(strstr(why, "No such file"));
    assert_non_null(strstr(why, "RTCC_CONF names this file: name one that is there"));
}

static void
the_default_file_is_what_the_table_prints(void **state)
{
    begin(state);
    assert_string_equal(whole_file(fopen("conf/rtcc.conf", "r")), defaults_as_printed());
}

static void
the_default_file_with_its_values_uncommented_changes_nothing(void **state)
{
    begin(state);
    char *text = defaults_as_printed();
    int uncommented = 0;
    for (char *at = text; (at = strstr(at, "\n#")); at++) {
        if (at[2] != ' ') {
            at[1] = ' ';
            memmove(at + 1, at + 2, strlen(at + 1));
            uncommented++;
        }
    }
    const char *about;
    assert_non_null(settings_key(uncommented - 1, &about));
    assert_null(settings_key(uncommented, &about));
    struct settings defaults;
    assert_int_equal(settings_parse(mem, "none", "", 0, &defaults, why, sizeof why), OK);
    if (parse(text))
        fail_msg("%s", why);
    assert_string_equal(settings.form_required, defaults.form_required);
    assert_string_equal(settings.public_url, defaults.public_url);
    assert_int_equal(settings.file_max_bytes, defaults.file_max_bytes);
}

/* The manual's paragraph about the key: from its item to the next; "" if there is none. */
static const char *
paragraph(const char *manual, const char *key)
{
    const char *from = strstr(manual, arena_printf(mem, "\n.It Cm %s Ar ", key));
    const char *to = from ? strstr(from + 1, "\n.It ") : NULL;
    return to ? arena_strndup(mem, from, (size_t)(to - from)) : from ? from : "";
}

/* One key of the printed defaults, "# meaning (unit, low to high).\n#key value", against its paragraph. */
static void
check_manual(const char *manual, const char *about, const char *line)
{
    char key[40];
    char value[100] = "empty";
    assert_true(sscanf(line, "#%39s%*1[ ]%99[^\n]", key, value) >= 1);
    const char *text = paragraph(manual, key);
    char unit[40];
    long low;
    long high;
    const char *bounds = strrchr(about, '(');
    bool is_number = bounds && sscanf(bounds, "(%39[^,], %ld to %ld", unit, &low, &high) == 3;
    const char *wanted = arena_printf(mem, "Default: %s%s%s.", value, is_number ? " " : "", is_number ? unit : "");
    CHECK(strstr(text, wanted), "rtcc.conf.5 does not say of %s: %s", key, wanted);
    if (is_number)
        CHECK(strstr(text, arena_printf(mem, "From %ld to %ld.", low, high)), "rtcc.conf.5 has other bounds for %s", key);
}

static void
the_manual_page_tells_each_key_with_default_bounds_and_unit(void **state)
{
    begin(state);
    const char *manual = whole_file(fopen("conf/rtcc.conf.5", "r"));
    const char *printed = defaults_as_printed();
    const char *meaning;
    for (int i = 0; settings_key(i, &meaning); i++) {
        assert_true(strlen(meaning) > 10);
        const char *about = strstr(printed, arena_printf(mem, "\n# %s", meaning));
        assert_non_null(about);
        about++;
        const char *line = strchr(about, '\n') + 1;
        assert_starts(line, arena_printf(mem, "#%s", settings_key(i, &meaning)));
        check_manual(manual, arena_strndup(mem, about, (size_t)(line - about)), arena_strndup(mem, line, strcspn(line, "\n")));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(an_empty_file_gives_the_defaults),
        UNIT(values_reach_to_the_end_of_the_line),
        UNIT(flags_have_eight_spellings),
        UNIT(an_unknown_key_is_answered_with_all_keys),
        UNIT(a_wrong_value_is_answered_with_what_is_allowed),
        UNIT(hours_are_a_week_and_a_zone_is_one_that_there_is),
        UNIT(each_kind_of_value_has_its_limits),
        UNIT(a_limit_of_length_counts_characters),
        UNIT(a_key_given_twice_is_a_fault),
        UNIT(an_agent_cannot_be_gone_while_his_poll_waits),
        UNIT(bytes_that_are_no_text_are_refused),
        UNIT(a_file_of_more_than_64_kib_is_refused),
        UNIT(after_a_fault_nothing_is_set),
        UNIT(a_sentence_that_does_not_fit_is_cut),
        UNIT(a_file_that_is_missing_is_named),
        UNIT(there_is_no_key_before_the_first_and_behind_the_last),
        UNIT(without_a_name_the_file_of_the_system_is_read_and_may_be_missing),
        UNIT(the_environment_names_the_file),
        UNIT(the_default_file_is_what_the_table_prints),
        UNIT(the_default_file_with_its_values_uncommented_changes_nothing),
        UNIT(the_manual_page_tells_each_key_with_default_bounds_and_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
