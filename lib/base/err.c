/* err.c: one table, indexed by the error, so that a code, its status and its sentence cannot drift apart.
 * A switch in each function was rejected: three places to forget. */
#include "base/err.h"

#include <assert.h>

static const struct {
    int status;
    const char *code;
    const char *title;
    const char *sentence;
} table[ERR_MAX] = {
    [OK] = {200, "ok", "Well", "Everything is fine."},
    [ERR_BAD_PARAMETER] = {400, "bad_parameter", "Please check your entries", "A value is missing or cannot be understood."},
    [ERR_UNAUTHORIZED] = {401, "unauthorized", "You have no access here", "Please sign in first."},
    [ERR_FORBIDDEN] = {403, "forbidden", "You may not do this", "You are not allowed to do this."},
    [ERR_NOT_FOUND] = {404, "not_found", "Not found", "There is nothing of that name here."},
    [ERR_BAD_METHOD] = {405, "bad_method", "This does not work here", "This address does not take that kind of request."},
    [ERR_CONFLICT] = {409, "conflict", "This is not possible any more", "This does not fit with what was done before."},
    [ERR_ALREADY_TAKEN] = {409, "already_taken", "Already taken", "Somebody else has taken this already."},
    [ERR_GONE] = {410, "gone", "No longer here", "This was here once and has been erased."},
    [ERR_TOO_LARGE] = {413, "too_large", "Too large", "This is larger than what is taken here."},
    [ERR_BAD_RANGE] = {416, "bad_parameter", "There is no such part", "The part that you asked for is not there."},
    [ERR_TOO_MANY] = {429, "too_many", "Please wait a moment", "That was too often; please wait a little and try again."},
    [ERR_UNAVAILABLE] = {503, "unavailable", "Back in a moment", "This does not work at the moment; please try again soon."},
};

int
err_status(enum err err)
{
    assert(err < ERR_MAX);
    return table[err].status;
}

const char *
err_code(enum err err)
{
    assert(err < ERR_MAX);
    return table[err].code;
}

const char *
err_sentence(enum err err)
{
    assert(err < ERR_MAX);
    return table[err].sentence;
}

const char *
err_title(enum err err)
{
    assert(err < ERR_MAX);
    return table[err].title;
}
