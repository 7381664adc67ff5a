/* engine: how sqlite is set up in a process. */
#ifndef RTCC_ENGINE_H
#define RTCC_ENGINE_H

/* To be called before a database is opened; again, it does nothing. */
void engine_set_up(void);

#endif
