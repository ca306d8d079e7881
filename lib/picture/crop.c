#include "picture/crop.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "picture/prep_meta.h"

static void reserve(struct rs_crop *crop, int size)
{
    if (size == crop->size)
        return;
    size_t pixels = (size_t)size * (size_t)size;
    rs_crop_free(crop);
    crop->image = rs_alloc(3 * pixels, sizeof *crop->image);
    crop->vessel = rs_alloc(pixels, 1);
    crop->fov = rs_alloc(pixels, 1);
    crop->size = size;
}

void rs_crop_free(struct rs_crop *crop)
{
    free(crop->image);
    free(crop->vessel);
    free(crop->fov);
    *crop = (struct rs_crop){0};
}

const char *rs_crop_start(struct rs_crop *crop, const struct rs_tensor_record *record, int n, int size)
{
    reserve(crop, size);
    const char *kind = rs_meta_get(&record->meta, "kind");
    if (!kind || strcmp(kind, "rs-tensor"))
        return rs_error("metadata 'kind' is not 'rs-tensor'");
    const char *error = rs_prep_from_meta(&crop->prep, &record->meta);
    if (error)
        return error;
    if (rs_prep_channels(&crop->prep) != record->shape.channels)
        return rs_error("metadata of %d planes, but an image of %d", rs_prep_channels(&crop->prep),
                        record->shape.channels);
    if (rs_prep_is_by_patch(&crop->prep))
        return rs_error("patches that were normalised each by itself: a part of one would be none");
    crop->shape = record->shape;
    crop->shape.samples = 1;
    crop->sample = rs_tensor_sample(record, n);
    crop->prep.width = crop->prep.height = size;
    return NULL;
}

static struct rs_patch_sums sum_square(const void *of, int x, int y, int size)
{
    const struct rs_crop *crop = of;
    uint64_t sum = 0;
    for (int row = y; row < y + size; row++)
        for (int column = x; column < x + size; column++)
            sum += crop->sample.vessel[(size_t)row * (size_t)crop->shape.width + (size_t)column];
    return (struct rs_patch_sums){0, (double)sum / 255};
}

/* Around the field of view; empty if there is none. */
static struct rs_patch_box fov_box(const struct rs_crop *crop)
{
    struct rs_patch_box box = {crop->shape.width, crop->shape.height, 0, 0};
    const uint8_t *at = crop->sample.fov;
    for (int y = 0; y < crop->shape.height; y++)
        for (int x = 0; x < crop->shape.width; x++)
            if (*at++ > 127)
                rs_patch_box_add(&box, x, y);
    return box;
}

const char *rs_crop_ground(struct rs_patch_ground *ground, const struct rs_crop *crop,
                           const struct rs_patch_want *want)
{
    const struct rs_tensor *shape = &crop->shape;
    const char *error = rs_patch_lacks(want, shape->has_vessel, shape->has_fov);
    if (!error && want->min_bright > 0)
        error = rs_error("normalised numbers do not tell how bright a patch was");
    if (error)
        return error;
    *ground = (struct rs_patch_ground){
        crop, shape->width, shape->height, {0, 0, shape->width, shape->height}, sum_square};
    if (want->in_fov)
        ground->box = fov_box(crop);
    return NULL;
}

/* The part of a square that lies in the sample, in bytes of a plane. */
struct part {
    size_t from, to;    /* offsets of its first pixel */
    size_t width, size; /* pixels from row to row, in the sample and in the square */
    size_t columns, rows;
};

static struct part part_of(const struct rs_crop *crop, int x, int y)
{
    const struct rs_tensor *shape = &crop->shape;
    int right = shape->width - x, low = shape->height - y, size = crop->size;
    return (struct part){.from = (size_t)y * (size_t)shape->width + (size_t)x,
                         .width = (size_t)shape->width,
                         .size = (size_t)size,
                         .columns = (size_t)(right < 0      ? 0
                                             : right < size ? right
                                                            : size),
                         .rows = (size_t)(low < 0      ? 0
                                          : low < size ? low
                                                       : size)};
}

static void cut_numbers(float *to, const float *from, const struct part *part)
{
    for (size_t row = 0; row < part->rows; row++)
        memcpy(to + row * part->size, from + part->from + row * part->width, part->columns * sizeof *to);
}

/* Of a plane that is not there all is `missing`. */
static void cut_plane(uint8_t *to, const uint8_t *from, const struct part *part, uint8_t missing)
{
    memset(to, 0, part->size * part->size);
    for (size_t row = 0; row < part->rows; row++, to += part->size)
        if (from)
            memcpy(to, from + part->from + row * part->width, part->columns);
        else
            memset(to, missing, part->columns);
}

static void cut(struct rs_crop *crop, const struct part *part)
{
    size_t pixels = part->size * part->size, plane = part->width * (size_t)crop->shape.height;
    for (int c = 0; c < crop->shape.channels; c++) {
        float *to = crop->image + (size_t)c * pixels, beyond = rs_prep_beyond(&crop->prep, c);
        for (size_t i = 0; i < pixels; i++)
            to[i] = beyond;
        cut_numbers(to, crop->sample.image + (size_t)c * plane, part);
    }
    cut_plane(crop->vessel, crop->sample.vessel, part, 0);
    cut_plane(crop->fov, crop->sample.fov, part, 255);
}

const char *rs_crop_write(FILE *stream, struct rs_crop *crop, int x, int y, bool with_fov)
{
    struct part part = part_of(crop, x, y);
    struct rs_tensor shape = crop->shape;
    struct rs_meta meta = {0};
    shape.width = shape.height = crop->size;
    shape.has_fov |= with_fov;
    cut(crop, &part);
    rs_meta_set(&meta, "kind", "rs-tensor");
    rs_prep_to_meta(&crop->prep, &meta);
    const char *error = rs_tensor_write(stream, &shape, &meta, crop->image, crop->vessel, crop->fov);
    rs_meta_free(&meta);
    return error;
}
