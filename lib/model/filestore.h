/* filestore: the bytes of all files together: what of them goes along with a backup, and what is missing.
 *
 * What a row tells of a file is written once and never changed afterwards, so a copy needs no lock, and on one file system it is
 * a second name. */
#ifndef RTCC_FILESTORE_H
#define RTCC_FILESTORE_H

#include <stdint.h>

#include "io/center.h"

/* Puts what the database knows of, and `to` lacks, from one folder into another; both exist. What is not there either is counted
 * in *missing. What was put is on the disk when it returns OK. ERR_UNAVAILABLE, with a sentence: the disk. */
must_check enum err filestore_copy(struct center *c, const char *from, const char *to, int64_t *missing);

/* Takes back what filestore_copy() put into a folder, and the folder, if nothing else is in it. */
void filestore_remove(struct center *c, const char *folder);

/* How many files of the database are not in state_dir/files, or shorter than they should be. */
must_check enum err filestore_missing(struct center *c, int64_t *missing);

/* Forgets an unfinished file, unless a piece has come since it had so many bytes; then *changed is 0. Inside of a transaction:
 * its row goes, and with it is noted that the bytes are due as work of the kind DUE_FILE. Whoever is killed leaves neither a row
 * without bytes nor bytes of which nobody knows. */
must_check enum err filestore_forget(struct center *c, int64_t id, const char *place, int64_t bytes, int *changed);

/* Forgets the unfinished files with which nobody went on for a day (or whose last piece, by the clock as it is now, comes in more
 * than a day). Reads every file's row; call it now and then. */
must_check enum err filestore_tidy(struct center *c);

/* Does that work: removes the bytes of a file that no row knows any more. ERR_UNAVAILABLE, with a sentence: the disk. */
must_check enum err filestore_drop(struct center *c, const char *place);

/* state_dir/files. */
const char *filestore_folder(struct center *c);

#endif
