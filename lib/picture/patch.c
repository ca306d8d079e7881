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
    int left = x < 0 ? -x : 0, top = y < 0 ? -y : 0;
    int columns = smaller(width, image->width - x) - left, rows = smaller(height, image->height - y);
    rs_image_shape(patch, image, width, height, with_fov);
    patch->is_patch = true;
    size_t planes = (size_t)rs_image_planes(image), step = (size_t)rs_image_planes(patch);
    for (int row = top; row < rows && columns > 0; row++) {
        const uint16_t *from = rs_image_at(image, x + left, y + row);
        uint16_t *to = rs_image_at(patch, left, row);
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

static struct rs_patch_sums sum_square(const void *of, int x, int y, int size)
{
    const struct rs_image *image = of;
    uint64_t bright = 0, truth = 0;
    int planes = rs_image_planes(image), vessel = rs_image_vessel_plane(image);
    int colors = rs_image_subject_planes(image->subject);
    for (int row = y; row < y + size; row++) {
        const uint16_t *at = rs_image_at(image, x, row);
        for (int column = 0; column < size; column++, at += planes) {
            for (int p = 0; p < colors; p++)
                bright += at[p];
            if (vessel >= 0)
                truth += at[vessel];
        }
    }
    return (struct rs_patch_sums){(double)bright / image->maxval, (double)truth / image->maxval};
}

/* Around the field of view; empty if there is none. */
static struct rs_patch_box fov_box(const struct rs_image *image)
{
    struct rs_patch_box box = {image->width, image->height, 0, 0};
    for (int y = 0; y < image->height; y++) {
        const uint16_t *at = rs_image_at(image, 0, y) + rs_image_fov_plane(image);
        for (int x = 0; x < image->width; x++, at += rs_image_planes(image))
            if (rs_image_yes(image, *at))
                rs_patch_box_add(&box, x, y);
    }
    return box;
}

void rs_patch_box_add(struct rs_patch_box *box, int x, int y)
{
    box->left = x < box->left ? x : box->left;
    box->top = y < box->top ? y : box->top;
    box->right = x + 1 > box->right ? x + 1 : box->right;
    box->bottom = y + 1 > box->bottom ? y + 1 : box->bottom;
}

const char *rs_patch_lacks(const struct rs_patch_want *want, bool has_vessel, bool has_fov)
{
    if (want->min_vessel > 0 && !has_vessel)
        return rs_error("without a truth plane (_VESSEL) no patch is known to have vessels");
    if (want->in_fov && !has_fov)
        return rs_error("without a plane of it no patch is known to lie in the field of view");
    return NULL;
}

const char *rs_patch_ground(struct rs_patch_ground *ground, const struct rs_image *image,
                            const struct rs_patch_want *want)
{
    const char *error = rs_patch_lacks(want, image->has_vessel, image->has_fov);
    if (error)
        return error;
    *ground = (struct rs_patch_ground){
        image, image->width, image->height, {0, 0, image->width, image->height}, sum_square};
    if (want->in_fov)
        ground->box = fov_box(image);
    return NULL;
}

static bool is_wanted(const struct rs_patch_ground *ground, int x, int y, const struct rs_patch_want *want)
{
    if (want->min_vessel <= 0 && want->min_bright <= 0)
        return true;
    struct rs_patch_sums sums = ground->sums(ground->of, x, y, want->size);
    return sums.vessel >= want->min_vessel && sums.bright >= want->min_bright;
}

static const char *none_found(const struct rs_patch_want *want)
{
    return rs_error("no %d x %d patch with min-vessel %g and min-bright %g in %d tries", want->size,
                    want->size, want->min_vessel, want->min_bright, RS_PATCH_TRIES);
}

const char *rs_patch_place(const struct rs_patch_ground *ground, const struct rs_patch_want *want,
                           struct rs_rng rng, int *x, int *y)
{
    const struct rs_patch_box *box = &ground->box;
    if (!box->right)
        return rs_error("an empty field of view");
    int columns = box->right - box->left - want->size + 1, rows = box->bottom - box->top - want->size + 1;
    if (columns < 1 || rows < 1)
        return rs_error("%d x %d%s is smaller than a patch of %d x %d; -grid pads", box->right - box->left,
                        box->bottom - box->top, want->in_fov ? " of the field of view" : "", want->size,
                        want->size);
    for (int try = 0; try < RS_PATCH_TRIES; try++) {
        *x = box->left + (int)rs_rng_below(&rng, (uint64_t)columns);
        *y = box->top + (int)rs_rng_below(&rng, (uint64_t)rows);
        if (is_wanted(ground, *x, *y, want))
            return NULL;
    }
    return none_found(want);
}

bool rs_patch_next(const struct rs_patch_ground *ground, int size, int step, int *x, int *y)
{
    if (*x < ground->width - size) {
        *x += step;
        return true;
    }
    if (*y < ground->height - size) {
        *x = 0;
        *y += step;
        return true;
    }
    return false;
}
