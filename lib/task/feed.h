/* Where the batches of a training come from. */
#ifndef RS_TASK_FEED_H
#define RS_TASK_FEED_H

#include "task/dataset.h"
#include "task/stream.h"

/* Memory for the samples of one batch; x.n says how many are there. */
struct rs_batch {
    struct rs_map x;
    uint8_t *vessel, *fov; /* [n][h][w] */
};

struct rs_feed;

/* Epoch after epoch over a data set, shuffled anew each time; the last batch of an epoch takes what is left.
 */
struct rs_feed *rs_feed_epochs(const struct rs_dataset *data, int batch, uint64_t seed);

/* A stream through a reservoir of `room` samples: each sample of a batch is drawn at random from it, and the
 * next of the stream takes its place. At the end of the stream the reservoir runs dry. An error if it would
 * take more than stream->memory bytes. */
const char *rs_feed_stream(struct rs_feed **feed, struct rs_stream *stream, int batch, uint32_t room,
                           uint64_t seed);

void rs_feed_free(struct rs_feed *feed);

const struct rs_tensor *rs_feed_shape(const struct rs_feed *feed); /* of one sample */
const struct rs_meta *rs_feed_meta(const struct rs_feed *feed);
int64_t rs_feed_epoch_steps(const struct rs_feed *feed); /* batches an epoch; 0 of a stream */

/* Fills the batch of `step`, counted from 0; steps are asked for in order. batch->x.n becomes 0 at the end of
 * a stream. */
const char *rs_feed_next(struct rs_feed *feed, int64_t step, struct rs_batch *batch);

/* Passes over the batches of the first `steps` steps, as if they had been asked for. */
const char *rs_feed_skip(struct rs_feed *feed, int64_t steps);

#endif
