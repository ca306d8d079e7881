#include "format/tensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static bool put(FILE *stream, const void *data, size_t bytes)
{
    return fwrite(data, 1, bytes, stream) == bytes;
}

const char *rs_tensor_write(FILE *stream, const struct rs_tensor *shape, const struct rs_meta *meta,
                            const float *image, const uint8_t *vessel, const uint8_t *fov)
{
    struct rs_record record = {0};
    int64_t sizes[4] = {shape->samples, shape->channels, shape->height, shape->width};
    rs_meta_copy(&record.meta, meta);
    rs_record_add(&record, "image", RS_F32, 4, sizes);
    sizes[1] = 1;
    if (shape->has_vessel)
        rs_record_add(&record, "vessel", RS_U8, 4, sizes);
    if (shape->has_fov)
        rs_record_add(&record, "fov", RS_U8, 4, sizes);
    size_t bytes = record.arrays[0].bytes, pixels = bytes / (size_t)shape->channels / sizeof *image;
    const char *error = rs_record_write(stream, &record);
    errno = 0;
    if (!error && !(put(stream, image, bytes) && (!shape->has_vessel || put(stream, vessel, pixels)) &&
                    (!shape->has_fov || put(stream, fov, pixels))))
        error = rs_error_write(errno);
    rs_record_free(&record);
    return error;
}

/* Image is F32 [n,c,h,w]; a plane beside it is U8 [n,1,h,w], and stands in the order image, vessel, fov. */
static const char *check_plane(const struct rs_record *record, const char *name, size_t *at, bool *has)
{
    const struct rs_array *image = &record->arrays[0], *plane = rs_record_find(record, name);
    *has = plane;
    if (!plane)
        return NULL;
    const int64_t *a = image->shape, *b = plane->shape;
    if (plane->dtype != RS_U8 || plane->rank != 4 || b[0] != a[0] || b[1] != 1 || b[2] != a[2] ||
        b[3] != a[3])
        return rs_error("array '%s' is not U8 [n,1,h,w] with the image's sizes", name);
    if (plane->offset != *at)
        return rs_error("array '%s' is not in its place: image, vessel, fov", name);
    *at += plane->bytes;
    return NULL;
}

const char *rs_tensor_describe(const struct rs_record *record, struct rs_tensor *shape)
{
    enum { MOST = 1 << 20 };
    const struct rs_array *image = rs_record_find(record, "image");
    if (!image || image->dtype != RS_F32 || image->rank != 4)
        return rs_error("no array 'image' of F32 [n,c,h,w]");
    const int64_t *sizes = image->shape;
    for (int i = 0; i < 4; i++)
        if (sizes[i] < 1 || sizes[i] > MOST)
            return rs_error("array 'image' has a size that is not in 1..%d", MOST);
    if (image != record->arrays)
        return rs_error("array 'image' is not in its place: image, vessel, fov");
    *shape = (struct rs_tensor){(int)sizes[0], (int)sizes[1], (int)sizes[2], (int)sizes[3], false, false};
    size_t at = image->bytes;
    const char *error = check_plane(record, "vessel", &at, &shape->has_vessel);
    if (!error)
        error = check_plane(record, "fov", &at, &shape->has_fov);
    if (!error && record->count != 1 + shape->has_vessel + shape->has_fov)
        error = rs_error("arrays other than image, vessel and fov");
    return error;
}

const char *rs_tensor_differ(const struct rs_tensor *a, const struct rs_tensor *b)
{
    if (a->channels != b->channels || a->height != b->height || a->width != b->width)
        return rs_error("shape [%d,%d,%d] after [%d,%d,%d]", b->channels, b->height, b->width, a->channels,
                        a->height, a->width);
    if (a->has_vessel != b->has_vessel || a->has_fov != b->has_fov)
        return rs_error("arrays image%s%s after image%s%s", b->has_vessel ? "+vessel" : "",
                        b->has_fov ? "+fov" : "", a->has_vessel ? "+vessel" : "", a->has_fov ? "+fov" : "");
    return NULL;
}

static const char *read_data(FILE *stream, size_t bytes, struct rs_tensor_record *record)
{
    enum { PIECE = 1 << 20 };
    for (size_t have = 0; have < bytes;) {
        if (have == record->room) {
            size_t room = have ? 2 * have : PIECE;
            record->room = room < bytes ? room : bytes;
            record->data = rs_realloc(record->data, record->room, 1);
        }
        size_t want = (bytes < record->room ? bytes : record->room) - have;
        if (fread(record->data + have, 1, want, stream) < want)
            return ferror(stream) ? rs_error("cannot read: %s", strerror(errno))
                                  : rs_error("ends in the middle of its data");
        have += want;
    }
    return NULL;
}

const char *rs_tensor_read(FILE *stream, int64_t most, struct rs_tensor_record *record, bool *more)
{
    struct rs_record header = {0};
    const char *error = rs_record_read(stream, &header, more);
    if (error || !*more)
        return error;
    struct rs_tensor *shape = &record->shape;
    error = rs_tensor_describe(&header, shape);
    if (!error && (shape->width > most / shape->height ||
                   shape->samples > most / ((int64_t)shape->width * shape->height)))
        error = rs_error("%d x %d x %d pixels are more than -max-pixels=%jd", shape->samples, shape->width,
                         shape->height, (intmax_t)most);
    if (!error)
        error = read_data(stream, header.bytes, record);
    rs_meta_free(&record->meta);
    rs_meta_copy(&record->meta, &header.meta);
    rs_record_free(&header);
    return error;
}

struct rs_tensor_sample rs_tensor_sample(const struct rs_tensor_record *record, int n)
{
    const struct rs_tensor *shape = &record->shape;
    size_t pixels = (size_t)shape->height * (size_t)shape->width, samples = (size_t)shape->samples;
    size_t numbers = pixels * (size_t)shape->channels, at = (size_t)n;
    const float *images = (const float *)(const void *)record->data;
    const uint8_t *vessel = (const uint8_t *)(images + samples * numbers);
    const uint8_t *fov = vessel + (shape->has_vessel ? samples * pixels : 0);
    return (struct rs_tensor_sample){images + at * numbers, shape->has_vessel ? vessel + at * pixels : NULL,
                                     shape->has_fov ? fov + at * pixels : NULL};
}

void rs_tensor_free(struct rs_tensor_record *record)
{
    rs_meta_free(&record->meta);
    free(record->data);
    *record = (struct rs_tensor_record){0};
}
