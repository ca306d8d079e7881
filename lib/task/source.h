/* Where the samples of a training come from: operands, "-" being standard input, as one set or as one stream. */
#ifndef RS_TASK_SOURCE_H
#define RS_TASK_SOURCE_H

#include "task/feed.h"
#include "task/train.h"

struct rs_source {
    struct rs_dataset data;  /* of a set */
    struct rs_stream stream; /* or of a stream, which runs from one operand to the next */
    FILE **files;            /* that it reads, all open from the start; NULL behind the last */
    struct rs_feed *feed;    /* the batches of either */
};

/* Adds the records of one operand to a set (task/dataset.h); `memory` in bytes. Errors name it. */
const char *rs_source_load(struct rs_dataset *data, const char *path, size_t memory);

/* Feeds batches of a set that was loaded, epoch after epoch. */
void rs_source_epochs(struct rs_source *source, const struct rs_train_options *options);

/* Feeds batches of the operands as they come; `paths` ends with NULL, and its names must live as long. Errors name the
 * operand. rs_source_free is due either way. */
const char *rs_source_stream(struct rs_source *source, char **paths, const struct rs_train_options *options,
                             size_t memory);

void rs_source_free(struct rs_source *source);

#endif
