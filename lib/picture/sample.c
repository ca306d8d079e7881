#include "picture/sample.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "picture/patch.h"
#include "picture/prep_meta.h"

static void reserve(struct rs_sample *sample, size_t pixels)
{
    if (pixels <= sample->capacity)
        return;
    free(sample->image);
    free(sample->vessel);
    free(sample->fov);
    sample->image = rs_alloc(3 * pixels, sizeof *sample->image);
    sample->vessel = rs_alloc(pixels, 1);
    sample->fov = rs_alloc(pixels, 1);
    sample->capacity = pixels;
}

static size_t pixels_of(const struct rs_tensor *shape)
{
    return (size_t)shape->width * (size_t)shape->height;
}

static void fill_planes(uint8_t *vessels, uint8_t *fovs, const struct rs_image *image)
{
    size_t planes = (size_t)rs_image_planes(image), pixels = (size_t)image->width * (size_t)image->height;
    int vessel = rs_image_vessel_plane(image), fov = rs_image_fov_plane(image), maxval = image->maxval;
    for (size_t i = 0; i < pixels; i++) {
        const uint16_t *pixel = image->samples + i * planes;
        if (vessel >= 0) /* half of an even maxval is no vessel, and stays none */
            vessels[i] = (uint8_t)((pixel[vessel] * 255 + (maxval - 1) / 2) / maxval);
        if (fov >= 0)
            fovs[i] = rs_image_yes(image, pixel[fov]) ? 255 : 0;
    }
}

static void fill_image(struct rs_sample *sample, const struct rs_prep *prep, const struct rs_image *image,
                       float *x)
{
    struct rs_prep_constants constants = rs_prep_constants(prep, image);
    int reach = rs_prep_reach(prep);
    if (reach)
        rs_patch_cut(&sample->wide, image, -reach, -reach, image->width + 2 * reach,
                     image->height + 2 * reach, false);
    rs_prep_apply(prep, &constants, reach ? &sample->wide : image, x);
}

const char *rs_sample_write(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep,
                            const struct rs_image *image)
{
    struct rs_tensor shape = {.samples = 1,
                              .channels = rs_prep_channels(prep),
                              .height = image->height,
                              .width = image->width,
                              .has_vessel = image->has_vessel,
                              .has_fov = image->has_fov};
    int together = rs_prep_gathers(prep) ? RS_SAMPLES : 1;
    size_t pixels = pixels_of(&shape);
    if (sample->count && rs_tensor_differ(&shape, &sample->shape)) {
        const char *error = rs_sample_flush(stream, sample, prep);
        if (error)
            return error;
    }
    sample->shape = shape;
    reserve(sample, (size_t)together * pixels);
    size_t at = (size_t)sample->count++ * pixels;
    fill_image(sample, prep, image, sample->image + (size_t)shape.channels * at);
    fill_planes(sample->vessel + at, sample->fov + at, image);
    return sample->count == together ? rs_sample_flush(stream, sample, prep) : NULL;
}

/* Some of the samples that wait. */
struct finish {
    const struct rs_sample *sample;
    const struct rs_prep *prep;
};

static void finish(void *context, int shard, int worker)
{
    const struct finish *all = context;
    int from = shard * RS_PREP_TOGETHER, left = all->sample->count - from;
    size_t each = (size_t)all->sample->shape.channels * pixels_of(&all->sample->shape);
    (void)worker;
    rs_prep_finish(all->prep, all->sample->image + (size_t)from * each,
                   left < RS_PREP_TOGETHER ? left : RS_PREP_TOGETHER);
}

const char *rs_sample_flush(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep)
{
    struct finish all = {sample, prep};
    struct rs_meta meta = {0};
    size_t pixels = pixels_of(&sample->shape), channels = (size_t)sample->shape.channels;
    const char *error = NULL;
    rs_parallel(finish, &all, (sample->count + RS_PREP_TOGETHER - 1) / RS_PREP_TOGETHER);
    rs_meta_set(&meta, "kind", "rs-tensor");
    rs_prep_to_meta(prep, &meta);
    for (size_t n = 0, at = 0; n < (size_t)sample->count && !error; n++, at += pixels) {
        float *x = sample->image + channels * at;
        rs_jitter_apply(&sample->jitter, sample->index++, x, sample->shape.channels, pixels,
                        prep->fov_only ? sample->fov + at : NULL);
        error = rs_tensor_write(stream, &sample->shape, &meta, x, sample->vessel + at, sample->fov + at);
    }
    rs_meta_free(&meta);
    sample->count = 0;
    return error;
}

void rs_sample_free(struct rs_sample *sample)
{
    free(sample->image);
    free(sample->vessel);
    free(sample->fov);
    rs_image_free(&sample->wide);
    *sample = (struct rs_sample){0};
}
