/* rs-train: fits a network to samples, epoch after epoch. */
#ifndef RS_TASK_TRAIN_H
#define RS_TASK_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "network/model.h"
#include "task/dataset.h"

struct rs_train_options {
    int64_t epochs, batch, seed, log_every; /* log_every: steps between rows of the log */
    double lr, beta1, beta2, epsilon, dropout;
    bool fov_only; /* loss and validation in the field of view alone */
    int levels, channels[RS_MAX_LEVELS];
    bool progress; /* a line on the terminal */
};

/* "32,64,128" into levels and channels. */
const char *rs_train_parse_channels(const char *text, struct rs_train_options *options);

struct rs_train_files {
    const char *model; /* replaced whenever the model to be kept has changed */
    FILE *log;         /* rs_train_log_header's columns, row by row; NULL for none */
};

/* What came of it. */
struct rs_train_report {
    int64_t steps, best_epoch; /* best_epoch 0: without validation */
    double best_loss, threshold;
    bool one_class; /* in the last epoch, every pixel was said to be the same: validation's, or else
                       training's */
};

extern const char rs_train_log_header[];

/* Trains on `data`; with `validation` the model of the lowest validation loss is kept, with the threshold of
 * the best Dice there, else the last. Errors: data that do not fit the options or each other; a loss,
 * gradient or sample that is not finite, step and tensor named (the model kept so far stays); a failed write.
 */
const char *rs_train(const struct rs_train_options *options, const struct rs_dataset *data,
                     const struct rs_dataset *validation, const struct rs_train_files *files,
                     struct rs_train_report *report);

#endif
