#include "picture/sample.h"

#include <stdlib.h>

#include "base/memory.h"
#include "format/tensor.h"

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

static void fill_planes(struct rs_sample *sample, const struct rs_image *image, size_t pixels)
{
    size_t planes = (size_t)rs_image_planes(image);
    int vessel = rs_image_vessel_plane(image), fov = rs_image_fov_plane(image), maxval = image->maxval;
    for (size_t i = 0; i < pixels; i++) {
        const uint16_t *pixel = image->samples + i * planes;
        if (vessel >= 0)
            sample->vessel[i] = (uint8_t)((pixel[vessel] * 255 + maxval / 2) / maxval);
        if (fov >= 0)
            sample->fov[i] = rs_image_yes(image, pixel[fov]) ? 255 : 0;
    }
}

const char *rs_sample_write(FILE *stream, struct rs_sample *sample, const struct rs_prep *prep,
                            const struct rs_image *image)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    struct rs_tensor shape = {.samples = 1,
                              .channels = rs_prep_channels(prep),
                              .height = image->height,
                              .width = image->width,
                              .has_vessel = image->has_vessel,
                              .has_fov = image->has_fov};
    struct rs_meta meta = {0};
    reserve(sample, pixels);
    struct rs_prep_constants constants = rs_prep_constants(prep, image);
    rs_prep_apply(prep, &constants, image, sample->image);
    fill_planes(sample, image, pixels);
    rs_jitter_apply(&sample->jitter, sample->index++, sample->image, shape.channels, pixels,
                    prep->fov_only ? sample->fov : NULL);
    rs_meta_set(&meta, "kind", "rs-tensor");
    rs_prep_to_meta(prep, &meta);
    const char *error = rs_tensor_write(stream, &shape, &meta, sample->image, sample->vessel, sample->fov);
    rs_meta_free(&meta);
    return error;
}

void rs_sample_free(struct rs_sample *sample)
{
    free(sample->image);
    free(sample->vessel);
    free(sample->fov);
    *sample = (struct rs_sample){0};
}
