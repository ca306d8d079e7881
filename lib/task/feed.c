#include "task/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

struct rs_feed {
    int batch;
    uint64_t seed;
    const struct rs_dataset *data; /* NULL: a stream */
    uint32_t *order;               /* the data set's, of `epoch` */
    int64_t epoch;
    struct rs_stream *stream;
    unsigned char *slots; /* the reservoir: `held` of `room` samples, `bytes` each */
    size_t bytes;
    uint32_t room, held;
    uint64_t drawn;
    bool dry; /* the stream has ended */
};

struct rs_feed *rs_feed_epochs(const struct rs_dataset *data, int batch, uint64_t seed)
{
    struct rs_feed *feed = rs_alloc(1, sizeof *feed);
    *feed = (struct rs_feed){.batch = batch, .seed = seed, .data = data, .epoch = -1};
    feed->order = rs_alloc(data->count, sizeof *feed->order);
    return feed;
}

const char *rs_feed_stream(struct rs_feed **made, struct rs_stream *stream, int batch, uint32_t room,
                           uint64_t seed)
{
    size_t bytes = rs_stream_sample_bytes(stream);
    if (bytes > stream->memory / room)
        return rs_error("-shuffle=%u samples of %zu bytes are more than -memory=%zu MiB", room, bytes,
                        stream->memory >> 20);
    struct rs_feed *feed = rs_alloc(1, sizeof *feed);
    *feed = (struct rs_feed){.batch = batch, .seed = seed, .stream = stream, .bytes = bytes, .room = room};
    feed->slots = rs_alloc(room, bytes);
    *made = feed;
    return NULL;
}

void rs_feed_free(struct rs_feed *feed)
{
    if (!feed)
        return;
    free(feed->order);
    free(feed->slots);
    free(feed);
}

const struct rs_tensor *rs_feed_shape(const struct rs_feed *feed)
{
    return feed->data ? &feed->data->shape : &feed->stream->shape;
}

const struct rs_meta *rs_feed_meta(const struct rs_feed *feed)
{
    return feed->data ? &feed->data->meta : &feed->stream->meta;
}

int64_t rs_feed_epoch_steps(const struct rs_feed *feed)
{
    return feed->data ? (feed->data->count + (int64_t)feed->batch - 1) / feed->batch : 0;
}

static void shuffle(struct rs_feed *feed, int64_t epoch)
{
    uint32_t count = feed->data->count;
    struct rs_rng rng = rs_rng_at(feed->seed, "shuffle", 0, (uint64_t)epoch + 1);
    for (uint32_t i = 0; i < count; i++)
        feed->order[i] = i;
    rs_rng_shuffle(&rng, feed->order, count);
    feed->epoch = epoch;
}

static const char *next_of_epoch(struct rs_feed *feed, int64_t step, struct rs_batch *batch)
{
    int64_t steps = rs_feed_epoch_steps(feed), first = step % steps * feed->batch,
            left = feed->data->count - first;
    if (step / steps != feed->epoch)
        shuffle(feed, step / steps);
    batch->x.n = (int)(left < feed->batch ? left : feed->batch);
    return rs_dataset_batch(feed->data, feed->order + first, batch->x, batch->vessel, batch->fov);
}

/* The planes of a sample lie in its slot one behind the other. */
static struct rs_dataset_sample slot_sample(const struct rs_feed *feed, uint32_t slot)
{
    const struct rs_tensor *shape = &feed->stream->shape;
    size_t pixels = (size_t)shape->height * (size_t)shape->width;
    const unsigned char *image = feed->slots + slot * feed->bytes;
    const unsigned char *vessel = image + pixels * (size_t)shape->channels * sizeof(float);
    return (struct rs_dataset_sample){image, shape->has_vessel ? vessel : NULL,
                                      shape->has_fov ? vessel + (shape->has_vessel ? pixels : 0) : NULL};
}

/* Puts the stream's next sample into the slot; at the stream's end the reservoir's last, and it is one
 * smaller. */
static const char *refill(struct rs_feed *feed, uint32_t slot)
{
    struct rs_dataset_sample sample;
    bool more = false;
    const char *error = feed->dry ? NULL : rs_stream_next(feed->stream, &sample, &more);
    if (error)
        return error;
    feed->dry = !more;
    unsigned char *to = feed->slots + slot * feed->bytes;
    if (!more) {
        feed->held--;
        if (slot != feed->held)
            memcpy(to, feed->slots + feed->held * feed->bytes, feed->bytes);
        return NULL;
    }
    const struct rs_tensor *shape = &feed->stream->shape;
    size_t pixels = (size_t)shape->height * (size_t)shape->width,
           image = pixels * (size_t)shape->channels * sizeof(float);
    memcpy(to, sample.image, image);
    if (sample.vessel)
        memcpy(to + image, sample.vessel, pixels);
    if (sample.fov)
        memcpy(to + feed->bytes - pixels, sample.fov, pixels);
    return NULL;
}

static const char *fill_reservoir(struct rs_feed *feed)
{
    const char *error = NULL;
    while (feed->held < feed->room && !feed->dry && !error)
        error = refill(feed, feed->held++);
    return error;
}

/* One draw; with a batch, the sample goes there as the n-th. */
static const char *draw(struct rs_feed *feed, struct rs_batch *batch, int n)
{
    struct rs_rng rng = rs_rng_at(feed->seed, "reservoir", 0, feed->drawn++);
    uint32_t slot = (uint32_t)rs_rng_below(&rng, feed->held);
    if (batch) {
        struct rs_dataset_sample sample = slot_sample(feed, slot);
        if (!rs_dataset_put(&sample, &batch->x, n, batch->vessel, batch->fov))
            return rs_error("drawn sample %ju: tensor 'image' is not finite", (uintmax_t)feed->drawn);
    }
    return refill(feed, slot);
}

static const char *next_of_stream(struct rs_feed *feed, struct rs_batch *batch)
{
    const char *error = fill_reservoir(feed);
    int n = 0;
    for (; n < feed->batch && feed->held > 0 && !error; n++)
        error = draw(feed, batch, n);
    if (batch)
        batch->x.n = n;
    return error;
}

const char *rs_feed_next(struct rs_feed *feed, int64_t step, struct rs_batch *batch)
{
    return feed->data ? next_of_epoch(feed, step, batch) : next_of_stream(feed, batch);
}

const char *rs_feed_skip(struct rs_feed *feed, int64_t steps)
{
    const char *error = NULL;
    for (int64_t step = 0; step < steps && !feed->data && !error; step++)
        error = next_of_stream(feed, NULL);
    return error;
}
