#include "task/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "measure/scores.h"

const char *rs_score_parse_pixels(const char *text, struct rs_score_pixels *pixels)
{
    static const char crop[] = "crop:";
    *pixels = (struct rs_score_pixels){.text = text, .fov = !strcmp(text, "fov")};
    if (pixels->fov || !strcmp(text, "image"))
        return NULL;
    if (strncmp(text, crop, sizeof crop - 1))
        return rs_error("'%s' is not one of fov|image|crop:X,Y,W,H", text);
    int64_t n[4];
    int count;
    const char *error = rs_parse_list(text + sizeof crop - 1, 0, RS_MAX_PIXELS, 4, n, &count);
    if (error)
        return error;
    if (count != 4 || n[2] == 0 || n[3] == 0)
        return rs_error("'%s' is not crop:X,Y,W,H with a width and a height", text);
    pixels->crop = true;
    pixels->x = (int)n[0];
    pixels->y = (int)n[1];
    pixels->width = (int)n[2];
    pixels->height = (int)n[3];
    return NULL;
}

const char *rs_score_parse_threshold(const char *text, struct rs_score_options *options)
{
    options->best_dice = !strcmp(text, "best-dice");
    if (options->best_dice)
        return NULL;
    const char *error = rs_parse_real(text, 0, 1, &options->threshold);
    return error ? rs_error("%s, best-dice or model", error) : NULL;
}

struct rs_score *rs_score_start(const struct rs_score_options *options)
{
    struct rs_score *score = rs_alloc(1, sizeof *score);
    score->options = *options;
    return score;
}

void rs_score_free(struct rs_score *score)
{
    for (uint64_t i = 0; score->kept && i < score->images; i++)
        free(score->kept[i].at);
    free(score->kept);
    rs_histogram_free(&score->one);
    rs_histogram_free(&score->all);
    free(score);
}

uint64_t rs_score_pixel_count(const struct rs_score *score)
{
    uint64_t vessel, background;
    rs_histogram_totals(&score->all, &vessel, &background);
    return vessel + background;
}

double rs_score_threshold(const struct rs_score *score)
{
    return score->options.best_dice ? rs_best_dice_threshold(&score->all) : score->options.threshold;
}

static const char *check(const struct rs_score *score, const struct rs_image *image)
{
    const struct rs_score_pixels *pixels = &score->options.pixels;
    char kind[RS_KIND_SIZE];
    rs_image_kind(image, kind);
    if (image->subject != RS_PROB || !image->has_vessel)
        return rs_error("TUPLTYPE %s, but a map of probability with its truth is wanted: PROB_VESSEL or "
                        "PROB_VESSEL_FOV, as rs-infer writes them",
                        kind);
    if (image->is_patch && score->options.draws)
        return rs_error("%s, but bounds are drawn from whole maps: patches of one eye are no sample of eyes",
                        kind);
    if (pixels->fov && !image->has_fov)
        return rs_error("%s has no field of view: add the plane with rs-fov or pamstack, or score with "
                        "-pixels=image",
                        kind);
    if (pixels->crop && ((int64_t)pixels->x + pixels->width > image->width ||
                         (int64_t)pixels->y + pixels->height > image->height))
        return rs_error("%s does not fit in %d x %d pixels", pixels->text, image->width, image->height);
    int maxval = score->one.levels - 1;
    if (score->images && maxval != image->maxval)
        return rs_error("maxval %d after images of maxval %d: pamdepth brings them to one", image->maxval,
                        maxval);
    return NULL;
}

static void count_pixels(struct rs_histogram *h, const struct rs_image *image,
                         const struct rs_score_pixels *pixels)
{
    int x0 = pixels->x, y0 = pixels->y;
    int width = pixels->crop ? pixels->width : image->width;
    int height = pixels->crop ? pixels->height : image->height;
    int planes = rs_image_planes(image), vessel = rs_image_vessel_plane(image);
    int fov = pixels->fov ? rs_image_fov_plane(image) : -1;
    for (int y = y0; y < y0 + height; y++) {
        const uint16_t *at = rs_image_at(image, x0, y);
        for (int x = 0; x < width; x++, at += planes)
            if (fov < 0 || rs_image_yes(image, at[fov]))
                rs_histogram_add(h, at[0], rs_image_yes(image, at[vessel]));
    }
}

static void keep(struct rs_score *score)
{
    score->kept = rs_grow(score->kept, score->images, sizeof *score->kept);
    score->kept[score->images] = rs_histogram_pack(&score->one);
}

const char *rs_score_add(struct rs_score *score, const struct rs_image *image)
{
    const char *error = check(score, image);
    if (error)
        return error;
    if (score->images == 0) {
        score->one = rs_histogram_start(image->maxval + 1);
        score->all = rs_histogram_start(image->maxval + 1);
    }
    rs_histogram_clear(&score->one);
    count_pixels(&score->one, image, &score->options.pixels);
    rs_histogram_merge(&score->all, &score->one);
    if (score->options.best_dice || score->options.draws)
        keep(score);
    score->images++;
    return NULL;
}

/* Where the yes and no of two planes differ. */
static const char *differs(const char *what, const struct rs_image *a, int plane_a, const struct rs_image *b,
                           int plane_b)
{
    uint64_t count = 0;
    int column = 0, row = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            if (rs_image_yes(a, rs_image_at(a, x, y)[plane_a]) !=
                    rs_image_yes(b, rs_image_at(b, x, y)[plane_b]) &&
                count++ == 0) {
                column = x;
                row = y;
            }
    return count ? rs_error("the %s differs in %ju of %ju pixels, first in column %d of row %d", what,
                            (uintmax_t)count, (uintmax_t)a->width * (uintmax_t)a->height, column, row)
                 : NULL;
}

const char *rs_score_pair(const struct rs_score_pixels *pixels, const struct rs_image *a,
                          const struct rs_image *b)
{
    if (a->width != b->width || a->height != b->height)
        return rs_error("%d x %d pixels, and there %d x %d", a->width, a->height, b->width, b->height);
    const char *error = differs("truth", a, rs_image_vessel_plane(a), b, rs_image_vessel_plane(b));
    if (error || !pixels->fov)
        return error;
    return differs("field of view", a, rs_image_fov_plane(a), b, rs_image_fov_plane(b));
}
