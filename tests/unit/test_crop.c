/* Patches of tensors: against a naive twin, and the places of a tensor's patches against those of its image. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "picture/crop.h"
#include "picture/prep_meta.h"
#include "picture/sample.h"
#include "tap.h"

enum { WIDTH = 19, HEIGHT = 13 };

static struct rs_prep prep_of(enum rs_prep_mode mode, bool fov_only)
{
    return (struct rs_prep){.mode = mode,
                            .fov_only = fov_only,
                            .subtract_mean = true,
                            .divide_std = true,
                            .source = RS_RGB,
                            .mean = {.5, .25, .75},
                            .std = {.1, .2, .3}};
}

/* Noise, with a truth that is dense to the right and a field of view that is a box. */
static struct rs_image photograph(bool vessel, bool fov)
{
    const struct rs_image like = {.subject = RS_RGB, .has_vessel = vessel, .has_fov = fov, .maxval = 255};
    struct rs_rng rng = rs_rng_at(1, "test", vessel, fov);
    struct rs_image image = {0};
    rs_image_shape(&image, &like, WIDTH, HEIGHT, false);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint16_t *at = rs_image_at(&image, x, y);
            for (int p = 0; p < rs_image_planes(&image); p++)
                at[p] = (uint16_t)rs_rng_below(&rng, 256);
            if (vessel)
                at[3] = at[3] < 12 * x ? 255 : 0;
            if (fov)
                at[3 + vessel] = x >= 3 && x < 17 && y >= 2 && y < 12 ? 255 : 0;
        }
    return image;
}

/* The image as rs-norm writes it, read again. */
static struct rs_tensor_record tensor_of(const struct rs_image *image, const struct rs_prep *prep)
{
    struct rs_sample sample = {0};
    struct rs_tensor_record record = {0};
    bool more;
    char *data;
    size_t size;
    FILE *out = open_memstream(&data, &size);
    rs_sample_write(out, &sample, prep, image);
    fclose(out);
    FILE *in = fmemopen(data, size, "rb");
    no_error(rs_tensor_read(in, RS_USUAL_PIXELS, &record, &more), "a tensor to cut");
    fclose(in);
    free(data);
    rs_sample_free(&sample);
    return record;
}

static struct rs_tensor_record cut(struct rs_crop *crop, int x, int y, bool with_fov)
{
    struct rs_tensor_record patch = {0};
    bool more;
    char *data;
    size_t size;
    FILE *out = open_memstream(&data, &size);
    const char *error = rs_crop_write(out, crop, x, y, with_fov);
    fclose(out);
    FILE *in = fmemopen(data, size, "rb");
    if (!error)
        error = rs_tensor_read(in, RS_USUAL_PIXELS, &patch, &more);
    if (error)
        no_error(error, "a patch is cut");
    fclose(in);
    free(data);
    return patch;
}

/* One number at a time. `beyond` is what is expected over the edge. */
static int count_wrong(const struct rs_tensor_record *patch, const struct rs_tensor_record *whole, int left,
                       int top, const float beyond[3])
{
    struct rs_tensor_sample found = rs_tensor_sample(patch, 0), from = rs_tensor_sample(whole, 0);
    int size = patch->shape.width, wrong = 0;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            bool inside = left + x < WIDTH && top + y < HEIGHT;
            int at = y * size + x, to = (top + y) * WIDTH + left + x;
            for (int c = 0; c < 3; c++) {
                float wanted = inside ? from.image[c * WIDTH * HEIGHT + to] : beyond[c];
                wrong += memcmp(&found.image[c * size * size + at], &wanted, sizeof wanted) != 0;
            }
            if (found.vessel)
                wrong += found.vessel[at] != (inside ? from.vessel[to] : 0);
            if (found.fov)
                wrong += found.fov[at] != (!inside ? 0 : from.fov ? from.fov[to] : 255);
        }
    return wrong;
}

static void test_cut(enum rs_prep_mode mode, bool vessel, bool fov, bool fov_only)
{
    const int places[][2] = {{0, 0}, {5, 4}, {11, 5}, {12, 0}, {14, 9}, {18, 12}, {30, 2}, {2, 30}};
    const struct rs_prep prep = prep_of(mode, fov_only);
    struct rs_image image = photograph(vessel, fov);
    struct rs_tensor_record whole = tensor_of(&image, &prep);
    struct rs_crop crop = {0};
    float beyond[3] = {0};
    for (int c = 0; c < 3 && mode == RS_PREP_DATASET && !fov_only; c++)
        beyond[c] = (float)(-prep.mean[c] / (prep.std[c] + 2e-6));
    no_error(rs_crop_start(&crop, &whole, 0, 8), "mode %d, truth %d, field of view %d, only in it %d",
             (int)mode, vessel, fov, fov_only);
    for (int with_fov = 0; with_fov < 2; with_fov++) {
        int wrong = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            struct rs_tensor_record patch = cut(&crop, places[i][0], places[i][1], with_fov);
            struct rs_prep said;
            wrong += rs_prep_from_meta(&said, &patch.meta) || said.width != 8 || said.height != 8 ||
                     said.mode != mode;
            wrong += patch.shape.has_vessel != vessel || patch.shape.has_fov != (fov || with_fov);
            wrong += count_wrong(&patch, &whole, places[i][0], places[i][1], beyond);
            rs_tensor_free(&patch);
        }
        ok(wrong == 0, "  patches are what the naive twin makes them%s",
           with_fov ? ", with a field of view" : "");
    }
    rs_crop_free(&crop);
    rs_tensor_free(&whole);
    rs_image_free(&image);
}

/* Whatever is wanted of them. */
static void test_places(struct rs_patch_want want)
{
    const struct rs_prep prep = prep_of(RS_PREP_IMAGE, true);
    struct rs_image image = photograph(true, true);
    struct rs_tensor_record whole = tensor_of(&image, &prep);
    struct rs_patch_ground of_image, of_tensor;
    struct rs_crop crop = {0};
    int differ = 0, outside = 0;
    no_error(rs_patch_ground(&of_image, &image, &want), "min-vessel %g, in the field of view %d",
             want.min_vessel, want.in_fov);
    no_error(rs_crop_start(&crop, &whole, 0, want.size), "  a tensor");
    no_error(rs_crop_ground(&of_tensor, &crop, &want), "  as an image");
    for (uint64_t k = 0; k < 300; k++) {
        int x = -1, y = -1, u = -2, v = -2;
        const char *error = rs_patch_place(&of_image, &want, rs_rng_at(1, "test", 0, k), &x, &y);
        const char *other = rs_patch_place(&of_tensor, &want, rs_rng_at(1, "test", 0, k), &u, &v);
        differ += error || other || x != u || y != v;
        outside += x < 3 || x + want.size > 17 || y < 2 || y + want.size > 12;
    }
    ok(differ == 0, "  300 patches lie where the image's do");
    ok(want.in_fov ? outside == 0 : outside > 0, "  %d of them not all in the box of the field of view",
       outside);
    rs_crop_free(&crop);
    rs_tensor_free(&whole);
    rs_image_free(&image);
}

static void set_meta(struct rs_tensor_record *record, const char *key, const char *value)
{
    rs_meta_set(&record->meta, key, "%s", value);
}

static void test_errors(void)
{
    const struct rs_prep prep = prep_of(RS_PREP_IMAGE, false);
    struct rs_image image = photograph(false, false);
    struct rs_tensor_record whole = tensor_of(&image, &prep);
    struct rs_patch_ground ground;
    struct rs_crop crop = {0};
    const struct {
        struct rs_patch_want want;
        const char *part;
    } wants[] = {{{8, 1, 0, false}, "without a truth plane"},
                 {{8, 0, 0, true}, "without a plane of it"},
                 {{8, 0, 1, false}, "do not tell how bright"}};
    no_error(rs_crop_start(&crop, &whole, 0, 8), "a tensor of a photograph alone");
    for (size_t i = 0; i < 3; i++)
        error_has(rs_crop_ground(&ground, &crop, &wants[i].want), wants[i].part, "  %s", wants[i].part);
    set_meta(&whole, "planes", "green");
    error_has(rs_crop_start(&crop, &whole, 0, 8), "metadata of 1 planes, but an image of 3",
              "planes that lie");
    set_meta(&whole, "planes", "all");
    set_meta(&whole, "patch", "19x13");
    no_error(rs_crop_start(&crop, &whole, 0, 8), "a patch may be cut again");
    set_meta(&whole, "normalisation", "patch");
    error_has(rs_crop_start(&crop, &whole, 0, 8), "a part of one would be none",
              "but not one normalised by itself");
    set_meta(&whole, "normalisation", "x");
    error_has(rs_crop_start(&crop, &whole, 0, 8), "'normalisation' is 'x'", "an unknown normalisation");
    set_meta(&whole, "kind", "x");
    error_has(rs_crop_start(&crop, &whole, 0, 8), "'kind' is not", "another kind of record");
    rs_crop_free(&crop);
    rs_tensor_free(&whole);
    rs_image_free(&image);
}

int main(void)
{
    const enum rs_prep_mode modes[] = {RS_PREP_IMAGE, RS_PREP_DATASET, RS_PREP_NONE};
    for (int i = 0; i < 3; i++) {
        test_cut(modes[i], true, true, true);
        test_cut(modes[i], true, true, false);
        test_cut(modes[i], false, true, false);
        test_cut(modes[i], true, false, false);
    }
    test_places((struct rs_patch_want){6, 0, 0, false});
    test_places((struct rs_patch_want){6, 20, 0, false});
    test_places((struct rs_patch_want){6, 20, 0, true});
    test_places((struct rs_patch_want){10, 0, 0, true});
    test_errors();
    return done();
}
