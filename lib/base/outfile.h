/* A file that is replaced whole or not at all. */
#ifndef RS_BASE_OUTFILE_H
#define RS_BASE_OUTFILE_H

#include <stdio.h>

struct rs_outfile {
    FILE *file; /* write here */
    char *path, *temporary;
};

/* Opens a temporary beside `path`, or beside what a link of that name leads to. A device, a pipe or a directory
 * is refused: it would be replaced, not written to. Errors name neither: the caller knows the path. One file at
 * a time: an exit on the way removes its temporary. */
const char *rs_outfile_open(struct rs_outfile *out, const char *path);

/* Flushes, syncs, and renames the temporary to `path`; on any failed write removes it and leaves `path` as it
 * was. */
const char *rs_outfile_commit(struct rs_outfile *out);

/* Gives up: removes the temporary. No harm after a commit or on a struct of {0}. */
void rs_outfile_abort(struct rs_outfile *out);

/* Whether a file could be put at `path`: to be asked before hours of work that end with it. */
const char *rs_outfile_try(const char *path);

#endif
