/* show: how the model's things look on the wire: one place for each shape that more than one program answers. */
#ifndef RTCC_SHOW_H
#define RTCC_SHOW_H

#include "io/service.h"
#include "model/conference.h"
#include "model/invitation.h"
#include "model/member.h"

/* Fills `tree` with a conference as a client of the original product reads it (api.md, vcs_conf_schedule). */
void show_conference(struct request *r, const struct conference *conf, struct value *tree);

/* The answer of `vcs` and `vcs_conf_delete`: what the caller's account scheduled, as r->out. */
must_check enum err show_conferences(struct request *r);

/* Adds `queue`: {"position":2,"wait_s":60,"opens_at":null,"opens_text":null}, or null when the conference does not wait. The last
 * two say when somebody is here again, outside of the opening hours. */
must_check enum err show_queue(struct request *r, struct value *tree, int64_t conf);

/* "http://host/cgi_bin/conf_view?conf=ID&token=…" */
must_check enum err show_window(struct request *r, const struct member *member, const char **out);

/* "http://host/cgi_bin/vcs_call?action=add&&vanity=CODE&call_callid=ID": the patent's invitation. */
const char *show_join_url(struct request *r, const struct conference *conf, bool is_leader);

/* Whether url is one by which somebody comes into that conference: vcs_call with one of its codes and its id, or /call/ with one
 * of its codes, at a host that is this site's: the request's own, or one that public_url, collaboration_url or queue_url
 * names. */
bool show_is_join_url(struct request *r, const char *url, const struct conference *conf);

/* "/call/CODE", with the participant's: where a browser goes that did something with this conference. */
const char *show_way_in(struct request *r, const struct conference *conf);

/* For whom events are shown: his member (0: nobody is "You"), and the token that links need ("": a cookie carries it). */
struct show_reader {
    int64_t member;
    const char *token;
};

/* The events of `events` (as event_read() gives them) with what a page needs to print them, as the list `name` in tree: is_mine,
 * who, time, line … */
void show_events(struct request *r, const struct show_reader *reader, const struct value *events, struct value *tree,
    const char *name);

/* ERR_BAD_PARAMETER when the parameter `part` is there and names no part of a room without JavaScript. */
must_check enum err show_check_part(struct request *r);

/* The room's address for a browser that comes back from a form: /cgi_bin/conf_view with the conference, one of the parts that
 * need no JavaScript, and the token unless a cookie carries it. */
const char *show_room(struct request *r, const char *conf, const char *part);

/* The same after an error, from what the request says of itself (struct service.back); NULL when it names no conference. */
const char *show_back(struct request *r);

/* Sends a browser (or whoever `redirect`s) to `path`. */
void show_go(struct request *r, const char *path);

/* "2.9 MB": 1024 is the step, as in the settings; the same words as sizeText() of js/lines.js. */
const char *show_size(struct request *r, int64_t bytes);

#endif
