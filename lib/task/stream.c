#include "task/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/operand.h"

static const char *read_data(struct rs_stream *stream, size_t bytes)
{
    if (bytes > stream->memory)
        return rs_error("a record of %zu bytes is more than -memory=%zu MiB", bytes, stream->memory >> 20);
    if (bytes > stream->room) {
        free(stream->data);
        stream->data = rs_alloc(bytes, 1);
        stream->room = bytes;
    }
    if (fread(stream->data, 1, bytes, *stream->files) == bytes)
        return NULL;
    return ferror(*stream->files) ? rs_error("cannot read: %s", strerror(errno))
                                  : rs_error("ends in the middle of its data");
}

static const char *take_record(struct rs_stream *stream, const struct rs_record *record)
{
    const char *error = rs_tensor_describe(record, &stream->record);
    if (!error && !stream->shape.channels) {
        stream->shape = stream->record;
        rs_meta_copy(&stream->meta, &record->meta);
    } else if (!error) {
        error = rs_tensor_differ(&stream->shape, &stream->record);
        if (!error)
            error = rs_meta_differ(&stream->meta, &record->meta);
    }
    stream->next = 0;
    return error ? error : read_data(stream, record->bytes);
}

/* Goes on to the next file where one ends; a file without a record is an error. */
static const char *next_record(struct rs_stream *stream, bool *more)
{
    for (; *stream->files; stream->files++, stream->paths++, stream->number = 0) {
        struct rs_record record = {0};
        const char *error = rs_record_read(*stream->files, &record, more);
        stream->number++;
        if (!error && *more)
            error = take_record(stream, &record);
        rs_record_free(&record);
        if (error)
            return rs_error("%.400s: record %jd: %s", rs_operand_name(*stream->paths),
                            (intmax_t)stream->number, error);
        if (*more)
            return NULL;
        if (stream->number == 1)
            return rs_error("%.400s: no tensor in input", rs_operand_name(*stream->paths));
    }
    *more = false;
    return NULL;
}

const char *rs_stream_start(struct rs_stream *stream, FILE **files, char **paths, size_t memory)
{
    bool more;
    *stream = (struct rs_stream){.files = files, .paths = paths, .memory = memory};
    return next_record(stream, &more);
}

const char *rs_stream_next(struct rs_stream *stream, struct rs_dataset_sample *sample, bool *more)
{
    *more = true;
    if (stream->next == stream->record.samples) {
        const char *error = next_record(stream, more);
        if (error || !*more)
            return error;
    }
    const struct rs_tensor *shape = &stream->record;
    size_t pixels = (size_t)shape->height * (size_t)shape->width, n = (size_t)shape->samples;
    size_t image = pixels * (size_t)shape->channels * sizeof(float), i = (size_t)stream->next++;
    const unsigned char *vessel = stream->data + n * image,
                        *fov = vessel + (shape->has_vessel ? n * pixels : 0);
    *sample =
        (struct rs_dataset_sample){stream->data + i * image, shape->has_vessel ? vessel + i * pixels : NULL,
                                   shape->has_fov ? fov + i * pixels : NULL};
    return NULL;
}

size_t rs_stream_sample_bytes(const struct rs_stream *stream)
{
    const struct rs_tensor *shape = &stream->shape;
    size_t pixels = (size_t)shape->height * (size_t)shape->width;
    return pixels * ((size_t)shape->channels * sizeof(float) + shape->has_vessel + shape->has_fov);
}

void rs_stream_free(struct rs_stream *stream)
{
    free(stream->data);
    rs_meta_free(&stream->meta);
    *stream = (struct rs_stream){0};
}
