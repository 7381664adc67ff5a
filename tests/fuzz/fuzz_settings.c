/* fuzz_settings: any bytes as rtcc.conf. What was taken keeps the limits that the programs rely on; a refusal says
 * where and why. */
#include "fuzz.h"

#include "io/settings.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *mem = arena_new();
    struct settings settings = {.hold_s = -1};
    char why[1024] = "";
    enum err err = settings_parse(mem, "rtcc.conf", (const char *)data, bytes, &settings, why, sizeof why);
    MUST(err == OK || err == ERR_BAD_PARAMETER);
    if (err) {
        MUST(strncmp(why, "rtcc.conf", 9) == 0 && strlen(why) > 20);
        MUST(settings.hold_s == -1);
    } else {
        MUST(*why == '\0');
        MUST(settings.state_dir[0] == '/' && settings.pages_dir[0] == '/');
        MUST(*settings.instance && !strpbrk(settings.instance, "=; -\""));
        MUST(strncmp(settings.queue_url, "http", 4) == 0 && !strpbrk(settings.queue_url, " ?#@\"<>\r\n"));
        MUST(settings.hold_s >= 0 && settings.hold_s <= 25 && settings.gone_s > settings.hold_s);
        MUST(settings.password_cost >= 1 && settings.password_cost <= 11);
        MUST_BE_TEXT(settings.site_name);
        MUST(!text_has_control(settings.site_name, true) && text_chars(settings.site_name) <= 100);
    }
    arena_free(mem);
    return 0;
}
