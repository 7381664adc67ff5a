/* The secrets against the published vectors of RFC 4231 and FIPS 180-2, the random ones against what chance would do. */
#include "unit.h"

#include <time.h>

#include "io/secret.h"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* base64url back to lower-case hexadecimal, which is how the vectors are printed. */
static const char *
hex(struct arena *mem, const char *text)
{
    char *out = arena_alloc(mem, strlen(text) * 2 + 3);
    unsigned bits = 0;
    int have = 0;
    char *to = out;
    for (; *text; text++) {
        const char *at = strchr(base64url, *text);
        assert_non_null(at);
        bits = bits << 6 | (unsigned)(at - base64url);
        have += 6;
        if (have >= 8) {
            have -= 8;
            to += snprintf(to, 3, "%02x", bits >> have & 0xFF);
        }
    }
    return out;
}

static char *
bytes_of(struct arena *mem, int byte, size_t count)
{
    char *text = arena_alloc(mem, count + 1);
    memset(text, byte, count);
    return text;
}

static void
hmac_agrees_with_rfc_4231(void **state)
{
    struct arena *mem = *state;
    char *counted = arena_alloc(mem, 26);
    for (int i = 0; i < 25; i++)
        counted[i] = (char)(i + 1);
    const struct {
        const char *key;
        const char *text;
        const char *first_24;
    } cases[] = {
        {bytes_of(mem, 0x0b, 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da7"},
        {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d273983"},
        {bytes_of(mem, 0xaa, 20), bytes_of(mem, 0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122"},
        {counted, bytes_of(mem, 0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f807"},
        {bytes_of(mem, 0xaa, 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c514"},
        {bytes_of(mem, 0xaa, 131),
            "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed"
            " before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f071393"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *made = secret_hmac(mem, cases[i].key, cases[i].text);
        assert_int_equal(strlen(made), 32);
        assert_string_equal(hex(mem, made), cases[i].first_24);
    }
}

static void
hash_agrees_with_fips_180(void **state)
{
    struct arena *mem = *state;
    static const struct row {
        const char *text;
        const char *sha256;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *made = secret_hash(mem, cases[i].text);
        assert_int_equal(strlen(made), 43);
        assert_string_equal(hex(mem, made), cases[i].sha256);
    }
    assert_string_equal(secret_hash(mem, "abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

static void
random_texts_use_the_whole_alphabet_evenly(void **state)
{
    struct arena *mem = *state;
    const char *text = secret_random_text(mem, 64000);
    assert_int_equal(strlen(text), 64000);
    assert_int_equal(strspn(text, base64url), 64000);
    int counts[64] = {0};
    for (size_t i = 0; i < 64000; i++)
        counts[strchr(base64url, text[i]) - base64url]++;
    /* 1000 each on average; eight standard deviations are 252 */
    for (int i = 0; i < 64; i++)
        assert_in_range(counts[i], 748, 1252);
}

static void
random_texts_are_never_the_same(void **state)
{
    struct arena *mem = *state;
    assert_string_not_equal(secret_random_text(mem, 32), secret_random_text(mem, 32));
    assert_string_equal(secret_random_text(mem, 0), "");
}

static void
random_numbers_reach_every_value_below_the_bound(void **state)
{
    (void)state;
    int counts[7] = {0};
    for (int i = 0; i < 7000; i++) {
        int64_t drawn = secret_random_below(7);
        assert_in_range(drawn, 0, 6);
        counts[drawn]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 760, 1240);
    assert_int_equal(secret_random_below(1), 0);
    int64_t top = INT64_C(1) << 53;
    int64_t ored = 0;
    for (int i = 0; i < 200; i++) {
        int64_t drawn = secret_random_below(top);
        assert_true(drawn >= 0 && drawn < top);
        ored |= drawn;
    }
    assert_true(ored == top - 1);
}

static void
draw_below_nothing(void)
{
    secret_random_below(0);
}

static void
a_bound_of_zero_is_a_programming_error(void **state)
{
    (void)state;
    char said[500];
    int status = unit_in_child(draw_below_nothing, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
a_password_is_known_again_and_no_other_is(void **state)
{
    struct arena *mem = *state;
    const char *hash = secret_password(mem, "correct hörse", 1);
    assert_non_null(hash);
    assert_int_equal(strncmp(hash, "$y$", 3), 0);
    assert_null(strstr(hash, "correct"));
    assert_true(secret_password_is("correct hörse", hash));
    assert_false(secret_password_is("correct hörsf", hash));
    assert_false(secret_password_is("", hash));
    assert_string_not_equal(hash, secret_password(mem, "correct hörse", 1));
}

static void
a_hash_that_crypt_does_not_know_fits_no_password(void **state)
{
    struct arena *mem = *state;
    const char *hash = secret_password(mem, "word", 1);
    assert_false(secret_password_is("word", NULL));
    assert_false(secret_password_is(NULL, hash));
    assert_false(secret_password_is("word", ""));
    assert_false(secret_password_is("word", "*"));
    assert_false(secret_password_is("*0", "*0"));
    assert_false(secret_password_is("word", "word"));
    assert_false(secret_password_is("word", arena_strndup(mem, hash, strlen(hash) - 1)));
}

static void
a_password_over_511_bytes_has_no_hash(void **state)
{
    struct arena *mem = *state;
    const char *long_one = bytes_of(mem, 'x', 511);
    const char *hash = secret_password(mem, long_one, 1);
    assert_non_null(hash);
    assert_true(secret_password_is(long_one, hash));
    assert_null(secret_password(mem, bytes_of(mem, 'x', 512), 1));
    assert_false(secret_password_is(bytes_of(mem, 'x', 512), hash));
}

static int64_t
cost_in_us(struct arena *mem, int cost)
{
    struct timespec from;
    struct timespec to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_non_null(strstr(secret_password(mem, "word", cost), cost == 5 ? "$j9T$" : "$y$"));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void
a_higher_cost_costs_more(void **state)
{
    struct arena *mem = *state;
    int64_t cheap = cost_in_us(mem, 1);
    int64_t dear = cost_in_us(mem, 5);
    CHECK(dear > 4 * cheap, "cost 1 took %ld us, cost 5 %ld us", (long)cheap, (long)dear);
    assert_true(dear > 5000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(hmac_agrees_with_rfc_4231),
        UNIT(hash_agrees_with_fips_180),
        UNIT(random_texts_use_the_whole_alphabet_evenly),
        UNIT(random_texts_are_never_the_same),
        UNIT(random_numbers_reach_every_value_below_the_bound),
        UNIT(a_bound_of_zero_is_a_programming_error),
        UNIT(a_password_is_known_again_and_no_other_is),
        UNIT(a_hash_that_crypt_does_not_know_fits_no_password),
        UNIT(a_password_over_511_bytes_has_no_hash),
        UNIT(a_higher_cost_costs_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
