/* rs-train: fits a network to samples, step after step. */
#ifndef RS_TASK_TRAIN_H
#define RS_TASK_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "network/model.h"
#include "task/feed.h"

enum rs_schedule { RS_CONSTANT, RS_COSINE };

struct rs_train_options {
    int64_t epochs, steps;  /* one of them is 0: epochs of a data set, or steps on a stream */
    int64_t shuffle;        /* samples in the reservoir of a stream */
    int64_t validate_every; /* steps on a stream; a data set is validated after every epoch */
    int64_t batch, seed;
    double lr, beta1, beta2, epsilon, dropout;
    enum rs_schedule schedule; /* of the learning rate: lr, or lr (1 + cos(pi step / steps)) / 2 */
    bool fov_only;             /* loss and validation in the field of view alone */
    int levels, channels[RS_MAX_LEVELS];
    /* What does not shape the weights */
    int64_t log_every, checkpoint_every, keep_every; /* steps; 0: never */
    bool resume, progress;                           /* progress: a line on the terminal */
};

/* "32,64,128" into levels and channels. */
const char *rs_train_parse_channels(const char *text, struct rs_train_options *options);

/* NULL if `pattern` is a name with one %d, %06d or the like in it, for the models left on the way. */
const char *rs_train_check_pattern(const char *pattern);

struct rs_train_files {
    const char *model;      /* replaced whenever the model to be kept has changed */
    FILE *log;              /* open for reading and writing; NULL for none */
    const char *checkpoint; /* NULL for none */
    const char *keep;       /* pattern of names, NULL for none */
};

/* What came of it. */
struct rs_train_report {
    int64_t steps, wanted,
        samples;       /* steps made, of those wanted; samples trained on, each as often as it was */
    int64_t best_step; /* of the model kept; 0: without validation */
    double best_loss, threshold;
    bool one_class; /* since the last validation, or in it, every pixel was said to be the same */
    int signal;     /* that ended it, its work put away; 0: none */
};

/* Trains on what `feed` brings; with `validation` the model of the lowest validation loss is kept, with the
 * threshold of the best Dice there, else the last. With a checkpoint, SIGTERM, SIGINT and SIGUSR1 (rs_interrupt_watch) write it,
 * and the first two end the training. A stream that ends early is no error: the report tells. Errors: data
 * that do not fit the options or each other; a loss, gradient or sample that is not finite, step and tensor
 * named (the model kept so far stays); a checkpoint that is damaged or of another training; a failed write.
 */
const char *rs_train(const struct rs_train_options *options, struct rs_feed *feed,
                     const struct rs_dataset *validation, const struct rs_train_files *files,
                     struct rs_train_report *report);

#endif
