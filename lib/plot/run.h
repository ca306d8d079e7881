/* What is drawn: the tables of runs, each under a name. */
#ifndef RS_PLOT_RUN_H
#define RS_PLOT_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "format/table.h"

/* The log of rs-train, and the curves of rs-score. */
enum rs_run_kind { RS_RUN_LOG, RS_RUN_ROC, RS_RUN_PR, RS_RUN_CALIBRATION };

struct rs_run {
    const char *path; /* "-" is stdin; not owned */
    char *name;       /* for people; owned */
    bool named;       /* by the user, not by the file */
    enum rs_run_kind kind;
    struct rs_table table; /* owned */
};

/* That of an operand "file" or "name=file", without a table. What stands before the first = is no name if
 * there is none, or a slash, in it: ./a=b is a file. A file names its run without .tsv. */
struct rs_run rs_run_of(const char *operand);

/* Reads a table, whose first line tells its kind. An error if it is of another, or if what orders its rows
 * (step, threshold, bin) goes back. `growing` as in rs_table_read_rows: then no row at all is no error,
 * either. */
const char *rs_run_read(struct rs_run *run, FILE *stream, bool growing);

/* "a training log" and the like. */
const char *rs_run_kind_name(enum rs_run_kind kind);

/* What there is none to draw of: no row, or no value of what was asked for. Compare by address. */
extern const char rs_nothing_to_draw[];

void rs_run_free(struct rs_run *run); /* its name and its table */

/* An error that says which run is not of the kind of the first; of 1 or more. */
const char *rs_runs_check(const struct rs_run *runs, int count);

#endif
