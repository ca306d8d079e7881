#include "picture/patch.h"

#include <string.h>

#include "base/error.h"

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

void rs_patch_cut(struct rs_image *patch, const struct rs_image *image, int x, int y, int width, int height,
                  bool with_fov)
{
    int columns = smaller(width, image->width - x), rows = smaller(height, image->height - y);
    rs_image_shape(patch, image, width, height, with_fov);
    size_t planes = (size_t)rs_image_planes(image), step = (size_t)rs_image_planes(patch);
    for (int row = 0; row < rows && columns > 0; row++) {
        const uint16_t *from = rs_image_at(image, x, y + row);
        uint16_t *to = rs_image_at(patch, 0, row);
        if (step == planes) {
            memcpy(to, from, (size_t)columns * planes * sizeof *to);
            continue;
        }
        for (int column = 0; column < columns; column++, from += planes, to += step) {
            memcpy(to, from, planes * sizeof *to);
            to[planes] = (uint16_t)image->maxval;
        }
    }
}

struct sums {
    uint64_t bright, vessel;
};

static struct sums sum_window(const struct rs_image *image, int x, int y, int size)
{
    struct sums sums = {0};
    int planes = rs_image_planes(image), vessel = rs_image_vessel_plane(image);
    int colors = rs_image_subject_planes(image->subject);
    for (int row = y; row < y + size; row++) {
        const uint16_t *at = rs_image_at(image, x, row);
        for (int column = 0; column < size; column++, at += planes) {
            for (int p = 0; p < colors; p++)
                sums.bright += at[p];
            if (vessel >= 0)
                sums.vessel += at[vessel];
        }
    }
    return sums;
}

static bool is_wanted(const struct rs_image *image, int x, int y, const struct rs_patch_want *want)
{
    if (want->min_vessel <= 0 && want->min_bright <= 0)
        return true;
    struct sums sums = sum_window(image, x, y, want->size);
    return (double)sums.vessel >= want->min_vessel * image->maxval &&
           (double)sums.bright >= want->min_bright * image->maxval;
}

static const char *none_found(const struct rs_patch_want *want)
{
    return rs_error("no %d x %d patch with min-vessel %g and min-bright %g in %d tries", want->size,
                    want->size, want->min_vessel, want->min_bright, RS_PATCH_TRIES);
}

const char *rs_patch_random(struct rs_image *patch, const struct rs_image *image,
                            const struct rs_patch_want *want, struct rs_rng rng)
{
    int size = want->size;
    if (image->width < size || image->height < size)
        return rs_error("%d x %d is smaller than a patch of %d x %d; -grid pads", image->width, image->height,
                        size, size);
    if (want->min_vessel > 0 && !image->has_vessel)
        return rs_error("without a truth plane (_VESSEL) no patch is known to have vessels");
    for (int try = 0; try < RS_PATCH_TRIES; try++) {
        int x = (int)rs_rng_below(&rng, (uint64_t)(image->width - size + 1));
        int y = (int)rs_rng_below(&rng, (uint64_t)(image->height - size + 1));
        if (is_wanted(image, x, y, want)) {
            rs_patch_cut(patch, image, x, y, size, size, false);
            return NULL;
        }
    }
    return none_found(want);
}

bool rs_patch_next(const struct rs_image *image, int size, int step, int *x, int *y)
{
    if (*x < image->width - size) {
        *x += step;
        return true;
    }
    if (*y < image->height - size) {
        *x = 0;
        *y += step;
        return true;
    }
    return false;
}
