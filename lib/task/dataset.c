#include "task/dataset.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/error.h"

static void add_part(struct rs_dataset *data, void *memory, size_t size, bool mapped)
{
    data->parts = rs_grow(data->parts, (size_t)data->part_count, sizeof *data->parts);
    data->parts[data->part_count++] = (struct rs_dataset_part){memory, size, mapped};
}

static struct rs_dataset_sample *next_sample(struct rs_dataset *data)
{
    data->samples = rs_grow(data->samples, data->count, sizeof *data->samples);
    return &data->samples[data->count++];
}

static void add_samples(struct rs_dataset *data, const struct rs_tensor *shape, const unsigned char *at)
{
    size_t pixels = (size_t)shape->height * (size_t)shape->width;
    size_t image = pixels * (size_t)shape->channels * sizeof(float), n = (size_t)shape->samples;
    const unsigned char *vessel = at + n * image, *fov = vessel + (shape->has_vessel ? n * pixels : 0);
    for (size_t i = 0; i < n; i++)
        *next_sample(data) =
            (struct rs_dataset_sample){at + i * image, shape->has_vessel ? vessel + i * pixels : NULL,
                                       shape->has_fov ? fov + i * pixels : NULL};
}

static const char *check_record(struct rs_dataset *data, const struct rs_record *record,
                                struct rs_tensor *shape)
{
    const char *error = rs_tensor_describe(record, shape);
    if (error)
        return error;
    if ((int64_t)data->count + shape->samples >= INT32_MAX)
        return rs_error("more samples than can be counted");
    if (data->count)
        error = rs_tensor_differ(&data->shape, shape);
    if (!error && data->count)
        error = rs_meta_differ(&data->meta, &record->meta);
    if (!error && !data->count) {
        data->shape = *shape;
        rs_meta_copy(&data->meta, &record->meta);
    }
    return error;
}

static const char *add_mapped(struct rs_dataset *data, const unsigned char *at, size_t size, int *number)
{
    const char *error = NULL;
    for (; size && !error; ++*number) {
        struct rs_record record = {0};
        struct rs_tensor shape;
        size_t header;
        error = rs_record_parse(&record, at, size, &header);
        if (!error)
            error = check_record(data, &record, &shape);
        if (error) {
            rs_record_free(&record);
            break;
        }
        add_samples(data, &shape, at + header);
        at += header + record.bytes;
        size -= header + record.bytes;
        rs_record_free(&record);
    }
    return error;
}

static const char *read_data(struct rs_dataset *data, FILE *stream, size_t bytes, size_t memory,
                             unsigned char **to)
{
    if (bytes > memory || data->used > memory - bytes)
        return rs_error(
            "more than -memory=%zu MiB: give more, or write the tensors to a file, which is mapped",
            memory >> 20);
    *to = rs_alloc(bytes, 1);
    if (fread(*to, 1, bytes, stream) < bytes) {
        int number = errno;
        free(*to);
        return ferror(stream) ? rs_error("cannot read: %s", strerror(number))
                              : rs_error("ends in the middle of its data");
    }
    data->used += bytes;
    add_part(data, *to, bytes, false);
    return NULL;
}

static const char *add_streamed(struct rs_dataset *data, FILE *stream, size_t memory, int *number)
{
    for (;; ++*number) {
        struct rs_record record = {0};
        struct rs_tensor shape;
        bool more;
        unsigned char *at = NULL;
        const char *error = rs_record_read(stream, &record, &more);
        if (error || !more)
            return error;
        error = check_record(data, &record, &shape);
        if (!error)
            error = read_data(data, stream, record.bytes, memory, &at);
        rs_record_free(&record);
        if (error)
            return error;
        add_samples(data, &shape, at);
    }
}

const char *rs_dataset_add(struct rs_dataset *data, FILE *stream, size_t memory)
{
    struct stat status;
    int number = 1;
    uint32_t before = data->count;
    const char *error;
    if (!fstat(fileno(stream), &status) && S_ISREG(status.st_mode) && status.st_size > 0 &&
        ftell(stream) == 0) {
        size_t size = (size_t)status.st_size;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(stream), 0);
        if (map == MAP_FAILED)
            return rs_error("cannot map: %s", strerror(errno));
        add_part(data, map, size, true);
        error = add_mapped(data, map, size, &number);
    } else {
        error = add_streamed(data, stream, memory, &number);
    }
    if (error)
        return rs_error("record %d: %s", number, error);
    return data->count > before ? NULL : rs_error("no tensor in input");
}

const char *rs_dataset_differ(const struct rs_dataset *a, const struct rs_dataset *b)
{
    const char *error = rs_tensor_differ(&a->shape, &b->shape);
    return error ? error : rs_meta_differ(&a->meta, &b->meta);
}

void rs_dataset_free(struct rs_dataset *data)
{
    for (int i = 0; i < data->part_count; i++)
        if (data->parts[i].mapped)
            munmap(data->parts[i].data, data->parts[i].size);
        else
            free(data->parts[i].data);
    free(data->parts);
    free(data->samples);
    rs_meta_free(&data->meta);
    *data = (struct rs_dataset){0};
}

/* Planes one behind the other become channels side by side. False if a number is not finite. */
static bool fill_image(struct rs_map *x, int n, const unsigned char *from)
{
    bool finite = true;
    for (int c = 0; c < x->c; c++)
        for (int i = 0; i < x->h; i++) {
            float *to = rs_map_at(x, n, i, 0) + c;
            for (int j = 0; j < x->w; j++, to += x->c, from += sizeof *to) {
                memcpy(to, from, sizeof *to);
                finite &= isfinite(*to) != 0;
            }
        }
    return finite;
}

bool rs_dataset_put(const struct rs_dataset_sample *sample, struct rs_map *x, int n, uint8_t *vessel,
                    uint8_t *fov)
{
    size_t pixels = (size_t)x->h * (size_t)x->w, at = (size_t)n * pixels;
    memcpy(vessel + at, sample->vessel, pixels);
    if (sample->fov)
        memcpy(fov + at, sample->fov, pixels);
    else
        memset(fov + at, 255, pixels);
    return fill_image(x, n, sample->image);
}

const char *rs_dataset_batch(const struct rs_dataset *data, const uint32_t *order, struct rs_map x,
                             uint8_t *vessel, uint8_t *fov)
{
    for (int n = 0; n < x.n; n++)
        if (!rs_dataset_put(&data->samples[order[n]], &x, n, vessel, fov))
            return rs_error("sample %u: tensor 'image' is not finite", order[n] + 1);
    return NULL;
}
