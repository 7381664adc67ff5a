/* news: whom the latest events concern: what wakes the parked polls (struct hold in io/service.h). */
#ifndef RTCC_NEWS_H
#define RTCC_NEWS_H

#include "io/service.h"

enum { NEWS_PLACE_MS = 15000 }; /* a better place alone is told this long after the poll came, not sooner */

/* Keys are conferences' numbers: conf_poll, conf_view. */
must_check enum err news_of_conferences(struct center *c, struct news *news);

/* Keys are agents' ids: agent_poll. */
must_check enum err news_of_agents(struct center *c, struct news *news);

/* Where every waiting conference stands. */
must_check enum err news_places(struct center *c, struct places *out);

/* Where one stands; 0: it does not wait. */
must_check enum err news_place(struct center *c, int64_t conf, int32_t *out);

/* Whether a parked poll is to be told of a better place now. */
must_check enum err news_has_moved(struct center *c, const struct wait *wait, bool *out);

#endif
