/* What a training is told: its options, how they are read, and how the model says them. */
#ifndef RS_TASK_RECIPE_H
#define RS_TASK_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/model.h"
#include "network/schedule.h"

struct rs_train_options {
    int64_t epochs, steps;  /* one of them is 0: epochs of a data set, or steps on a stream */
    int64_t shuffle;        /* samples in the reservoir of a stream */
    int64_t validate_every; /* steps on a stream; a data set is validated after every epoch */
    int64_t batch, seed;
    double lr, beta1, beta2, epsilon, dropout;
    enum rs_schedule_kind schedule;
    double warmup;  /* rs_schedule's */
    double average; /* rs_average's decay; 0: the network as it is */
    bool fov_only;  /* loss and validation in the field of view alone */
    int levels, channels[RS_MAX_LEVELS];
    enum rs_block block;
    enum rs_up up;
    /* What does not shape the weights */
    int64_t log_every, checkpoint_every, keep_every; /* steps; 0: never */
    bool resume, progress;                           /* progress: a line on the terminal */
    /* What the model is to say, known from elsewhere: */
    double diameter; /* rs_model's */
    bool has_threshold;
    double threshold, temperature; /* rs_model's; not with validation, which finds its own */
    const char *about;             /* rs_model's, shorter than RS_ABOUT_SIZE; NULL: nothing */
};

/* "32,64,128" into levels and channels. */
const char *rs_train_parse_channels(const char *text, struct rs_train_options *options);

/* NULL if `text` can be what a model says of itself. */
const char *rs_train_check_about(const char *text);

/* NULL if `pattern` is a name with one %d, %06d or the like in it, for the models left on the way. */
const char *rs_train_check_pattern(const char *pattern);

/* The name that such a pattern makes of a step. */
void rs_train_name(const char *pattern, int64_t step, char *name, size_t size);

/* The options that shape the weights, in canonical order: one training, one text. Those that came later than the
 * first models are said only where they do something. */
void rs_train_describe(const struct rs_train_options *options, char *text, size_t size);

#endif
