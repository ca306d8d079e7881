/* rs-train: fits a network to samples, step after step. */
#ifndef RS_TASK_TRAIN_H
#define RS_TASK_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "task/feed.h"
#include "task/recipe.h"

struct rs_train_files {
    const char *model;      /* replaced whenever the model to be kept has changed */
    FILE *log;              /* open for reading and writing; NULL for none */
    const char *checkpoint; /* NULL for none */
    const char *keep;       /* pattern of names, NULL for none */
    const char *statistics; /* that whitened tensors name, which the model takes over; NULL for none */
};

/* What came of it. */
struct rs_train_report {
    int64_t steps, wanted,
        samples;       /* steps made, of those wanted; samples trained on, each as often as it was */
    int64_t best_step; /* of the model kept; 0: without validation */
    double best_loss, threshold, temperature;
    bool one_class; /* since the last validation, or in it, every pixel was said to be the same */
    int signal;     /* that ended it, its work put away; 0: none */
};

/* Trains on what `feed` brings; with `validation` the model of the lowest validation loss is kept, with the
 * threshold of the best Dice there, else the last; with an average, the averaged network takes the place of the one
 * that is trained in both. With a checkpoint, SIGTERM, SIGINT and SIGUSR1 (rs_interrupt_watch) write it, and the first
 * two end the training. A stream that ends early is no error: the report tells. Errors: data that do not fit the
 * options or each other; a loss, gradient or sample that is not finite, step and tensor named (the model kept so far
 * stays); a checkpoint that is damaged or of another training; a failed write. */
const char *rs_train(const struct rs_train_options *options, struct rs_feed *feed,
                     const struct rs_dataset *validation, const struct rs_train_files *files,
                     struct rs_train_report *report);

#endif
