/* The course of a training: how far it is, what it has found, and the log that tells of it. */
#ifndef RS_TASK_COURSE_H
#define RS_TASK_COURSE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "format/safetensors.h"
#include "task/validate.h"

/* No number of steps, samples or pixels that a file tells of is higher. */
#define RS_MOST_COUNTED (INT64_C(1) << 53)

struct rs_course {
    int64_t step, samples; /* trained on so far */
    int64_t best_step;     /* of the model that is kept; 0: none yet */
    double best_loss;      /* its log loss on validation data */
    double seconds;        /* spent up to the last row of the log */
    double loss;           /* summed since that row, over `count` pixels, of which `correct` were right */
    int64_t count, correct;
    int64_t logged;          /* samples at that row */
    int64_t seen, predicted; /* pixels since the last validation; of them, said to be vessel */
};

/* What a row of the log says beside the sums, which it starts anew. */
struct rs_course_row {
    int64_t epoch;                          /* 0: NA */
    double lr, seconds;                     /* the learning rate of the last step; spent in all */
    const struct rs_validation *validation; /* NULL: NA */
};

/* Writes a row and flushes; errors as rs_error_write. */
const char *rs_course_log(struct rs_course *course, FILE *log, const struct rs_course_row *row);

/* Opens a log for what follows: one that may be gone on with as it is, any other empty. An error if it cannot. */
const char *rs_course_open_log(FILE **log, const char *path, bool resume);

/* Empties a log and writes its first line. */
const char *rs_course_start_log(FILE *log);

/* Cuts a log, open for reading and writing, behind its last row of a step up to `step`, and goes on from
 * there. An error if it is not such a log; an empty one is started. */
const char *rs_course_cut(FILE *log, int64_t step);

/* The course as metadata, and back; numbers survive exactly. */
void rs_course_to_meta(const struct rs_course *course, struct rs_meta *meta);
const char *rs_course_from_meta(struct rs_course *course, const struct rs_meta *meta);

#endif
