/* Which addresses a call may go to, whatever name it was found by. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/http.h"

static bool
may_call(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return http_may_call((const struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return http_may_call((const struct sockaddr *)&v6);
}

static void
link_local_multicast_and_unspecified_addresses_are_not_called(void **state)
{
    static const char *const forbidden[] = {"169.254.169.254", "169.254.0.0", "169.254.255.255", "0.0.0.0", "0.1.2.3",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "fe80::1", "febf:ffff::1", "::", "ff02::1", "::ffff:169.254.169.254",
        "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe"};
    static const char *const right[] = {"127.0.0.1", "127.255.255.254", "10.0.0.1", "192.168.1.1", "169.253.255.255",
        "169.255.0.0", "223.255.255.255", "8.8.8.8", "::1", "fc00::1", "fec0::1", "fe7f::1", "2001:db8::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1"};
    (void)state;
    for (size_t i = 0; i < COUNT(forbidden); i++)
        if (may_call(forbidden[i]))
            fail_msg("%s may be called", forbidden[i]);
    for (size_t i = 0; i < COUNT(right); i++)
        if (!may_call(right[i]))
            fail_msg("%s may not be called", right[i]);
    assert_false(http_may_call(&(struct sockaddr){.sa_family = AF_UNIX}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(link_local_multicast_and_unspecified_addresses_are_not_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
