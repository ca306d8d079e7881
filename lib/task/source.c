#include "task/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/operand.h"

const char *rs_source_load(struct rs_dataset *data, const char *path, size_t memory)
{
    FILE *file = rs_operand_open(path);
    if (!file)
        return rs_error_at(path, strerror(errno));
    const char *error = rs_dataset_add(data, file, memory);
    rs_operand_close(file);
    return rs_error_at(rs_operand_name(path), error);
}

void rs_source_epochs(struct rs_source *source, const struct rs_train_options *options)
{
    source->feed = rs_feed_epochs(&source->data, (int)options->batch, (uint64_t)options->seed);
}

/* All at once: that one is missing is better known now than in an hour. */
static const char *open_all(struct rs_source *source, char **paths)
{
    size_t count = 0;
    while (paths[count])
        count++;
    source->files = rs_alloc(count + 1, sizeof *source->files);
    for (size_t i = 0; i < count; i++) {
        source->files[i] = rs_operand_open(paths[i]);
        if (!source->files[i])
            return rs_error_at(paths[i], strerror(errno));
    }
    return NULL;
}

const char *rs_source_stream(struct rs_source *source, char **paths, const struct rs_train_options *options,
                             size_t memory)
{
    const char *error = open_all(source, paths);
    if (!error)
        error = rs_stream_start(&source->stream, source->files, paths, memory);
    return error ? error
                 : rs_feed_stream(&source->feed, &source->stream, (int)options->batch,
                                  (uint32_t)options->shuffle, (uint64_t)options->seed);
}

void rs_source_free(struct rs_source *source)
{
    for (size_t i = 0; source->files && source->files[i]; i++)
        rs_operand_close(source->files[i]);
    free(source->files);
    rs_feed_free(source->feed);
    rs_stream_free(&source->stream);
    rs_dataset_free(&source->data);
    *source = (struct rs_source){0};
}
