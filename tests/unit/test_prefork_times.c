/* How long PREFORK waits for whom: nearly all of it is waiting. */
#include "preforked.h"

/* The silent one ends first, then who reads nothing, then who goes on sending, a byte now and then. */
static void
each_kind_of_slowness_has_its_time(void **state)
{
    enum { SILENT, DEAF, SENDING, KINDS };
    const int64_t limits[KINDS] = {LOOP_SILENCE_MS, LOOP_SEND_MS, LOOP_LARGE_MS};
    struct server server = server_start(&prefork, 0);
    struct bytes piece = {.len = 0};
    int fds[KINDS];
    int64_t start_ms = clock_boot_ms(), closed_ms[KINDS] = {0};
    (void)state;
    for (int i = 0; i < KINDS; i++)
        fds[i] = connect_to(server.path);
    send_upload_head(fds[SILENT], 1000);
    send_request(fds[DEAF], 1, false, "size=30000000");
    send_upload_head(fds[SENDING], 1000);
    add_record(&piece, 5, 1, "c", 1, 0);
    for (int64_t now_ms = 0; now_ms < LOOP_LARGE_MS + 5000 && closed_ms[SENDING] == 0; usleep(500000)) {
        now_ms = clock_boot_ms() - start_ms;
        if (closed_ms[SENDING] == 0 && send(fds[SENDING], piece.data, piece.len, MSG_NOSIGNAL) < 0)
            closed_ms[SENDING] = now_ms;
        if (closed_ms[SILENT] == 0 && is_closed(fds[SILENT], 0))
            closed_ms[SILENT] = now_ms;
        struct pollfd gone = {.fd = fds[DEAF], .events = POLLRDHUP};
        if (closed_ms[DEAF] == 0 && poll(&gone, 1, 0) == 1)
            closed_ms[DEAF] = now_ms;
    }
    for (int i = 0; i < KINDS; i++) {
        CHECK(closed_ms[i] > limits[i] - 1000 && closed_ms[i] < limits[i] + 3000, "%d: %lld ms", i, (long long)closed_ms[i]);
        close(fds[i]);
    }
    assert_int_equal(server_stop(&server), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(each_kind_of_slowness_has_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
