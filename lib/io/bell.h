/* bell: the doorbell: a file that is opened to be written after COMMIT, and closed, watched by inotify.
 *
 * It says "look again", nothing more; nothing is lost when it does not ring, because everyone who listens also looks once a
 * second. It may ring once for several.
 * Watching the database's own files instead lost 7 to 12 of 100 wake-ups (the notice comes before the commit can be seen). */
#ifndef RTCC_BELL_H
#define RTCC_BELL_H

/* Rings the bell in folder; creates it when missing. Failures are silent: see above. */
void bell_ring(const char *folder);

/* A descriptor for epoll that becomes readable when the bell in folder rings, or -1 (then the tick must do). */
int bell_listen(const char *folder);

/* Empties the descriptor; if the bell's file was replaced, watches the new one (hence the folder). */
void bell_heard(int fd, const char *folder);

#endif
