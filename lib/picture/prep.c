#include "picture/prep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

int rs_prep_channels(const struct rs_prep *prep)
{
    return prep->source == RS_RGB && prep->planes == RS_PLANES_ALL ? 3 : 1;
}

const char *rs_prep_fits(const struct rs_prep *prep, const struct rs_image *image)
{
    char kind[RS_KIND_SIZE];
    rs_image_kind(image, kind);
    if (image->subject != prep->source)
        return rs_error("an image of planes %s, where a photograph of planes %s is wanted", kind,
                        prep->source == RS_RGB ? "RGB" : "GRAYSCALE");
    if (rs_prep_is_whole(prep) && image->is_patch)
        return rs_error("planes %s: a whole photograph is wanted, and this was cut from one", kind);
    if (prep->fov_only && !image->has_fov)
        return rs_error("normalisation inside the field of view, but planes %s have none", kind);
    return NULL;
}

/* Pixels are read in pieces, whose values the processor then divides and adds without asking what they are. */
enum { PIECE = 512 };

/* One channel's values of `count` pixels, in [0,1]. */
static void read_values(const struct rs_prep *prep, const struct rs_image *image, const uint16_t *pixel,
                        size_t count, int channel, double values[PIECE])
{
    size_t planes = (size_t)rs_image_planes(image);
    bool color = prep->source == RS_RGB;
    const uint16_t *plane = pixel + (color && prep->planes == RS_PLANES_GREEN ? 1 : channel);
    for (size_t i = 0; i < count; i++)
        values[i] = plane[i * planes];
    for (size_t i = 0; i < count && color && prep->planes == RS_PLANES_GRAY; i++, pixel += planes)
        values[i] = .299 * pixel[0] + .587 * pixel[1] + .114 * pixel[2];
    for (size_t i = 0; i < count; i++)
        values[i] /= image->maxval;
}

/* Which pixels count. */
static bool counts(const struct rs_prep *prep, const struct rs_image *image, const uint16_t *pixel)
{
    return !prep->fov_only || rs_image_yes(image, pixel[rs_image_fov_plane(image)]);
}

/* Closes up the values of pixels that count, and returns how many they are. */
static size_t keep_counting(const struct rs_prep *prep, const struct rs_image *image, const uint16_t *pixel,
                            size_t count, double values[PIECE])
{
    size_t planes = (size_t)rs_image_planes(image), kept = 0;
    for (size_t i = 0; i < count; i++, pixel += planes) {
        values[kept] = values[i];
        kept += counts(prep, image, pixel);
    }
    return kept;
}

/* Sets the numbers of pixels that do not count to 0. */
static void clear_others(const struct rs_prep *prep, const struct rs_image *image, const uint16_t *pixel,
                         size_t count, float *x)
{
    size_t planes = (size_t)rs_image_planes(image);
    for (size_t i = 0; i < count && prep->fov_only; i++, pixel += planes)
        x[i] = counts(prep, image, pixel) ? x[i] : 0;
}

/* The sum of a channel's values or, where `mean` is given, of their squared deviations from it, over the pixels that
 * count. */
static double add_up(const struct rs_prep *prep, const struct rs_image *image, int channel,
                     const double *mean, double *number)
{
    double from = mean ? *mean : 0;
    size_t pixels = (size_t)image->width * (size_t)image->height, planes = (size_t)rs_image_planes(image);
    double values[PIECE], sum = 0;
    *number = 0;
    for (size_t at = 0; at < pixels; at += PIECE) {
        const uint16_t *pixel = image->samples + at * planes;
        size_t count = pixels - at < PIECE ? pixels - at : PIECE;
        read_values(prep, image, pixel, count, channel, values);
        count = keep_counting(prep, image, pixel, count, values);
        for (size_t i = 0; i < count; i++)
            sum += mean ? (values[i] - from) * (values[i] - from) : values[i];
        *number += (double)count;
    }
    return sum;
}

/* Two passes: exact where one pass over squares would cancel. */
static double image_sums(const struct rs_prep *prep, const struct rs_image *image, int channel, double *mean,
                         double *squares)
{
    double count, sum = add_up(prep, image, channel, NULL, &count);
    *mean = count > 0 ? sum / count : 0;
    *squares = add_up(prep, image, channel, mean, &count);
    return count;
}

bool rs_prep_whitens(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_ZCA || prep->mode == RS_PREP_ZCA_FILTER;
}

bool rs_prep_learns(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_DATASET || rs_prep_whitens(prep);
}

bool rs_prep_is_by_patch(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_PATCH || prep->mode == RS_PREP_ZCA;
}

bool rs_prep_is_whole(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_IMAGE || prep->mode == RS_PREP_ZCA_FILTER;
}

bool rs_prep_gathers(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_ZCA;
}

int rs_prep_reach(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_ZCA_FILTER ? prep->window / 2 : 0;
}

struct rs_whitening rs_prep_form(const struct rs_prep *prep)
{
    bool filter = prep->mode == RS_PREP_ZCA_FILTER;
    return (struct rs_whitening){.planes = rs_prep_channels(prep),
                                 .width = filter ? prep->window : prep->width,
                                 .height = filter ? prep->window : prep->height,
                                 .rank = prep->rank,
                                 .filter = filter};
}

void rs_prep_reserve(struct rs_prep *prep)
{
    prep->whitening = rs_alloc(1, sizeof *prep->whitening);
    *prep->whitening = rs_prep_form(prep);
    rs_whitening_reserve(prep->whitening);
}

bool rs_prep_whitens_alike(const struct rs_prep *a, const struct rs_prep *b)
{
    struct rs_whitening form = rs_prep_form(a), other = rs_prep_form(b);
    return a->planes == b->planes && a->source == b->source && a->fov_only == b->fov_only &&
           a->epsilon == b->epsilon && form.width == other.width && form.height == other.height &&
           form.rank == other.rank && form.filter == other.filter;
}

void rs_prep_free(struct rs_prep *prep)
{
    if (prep->whitening)
        rs_whitening_free(prep->whitening);
    free(prep->whitening);
    prep->whitening = NULL;
}

static bool takes_own_statistics(const struct rs_prep *prep)
{
    return prep->mode == RS_PREP_PATCH || prep->mode == RS_PREP_IMAGE;
}

struct rs_prep_constants rs_prep_constants(const struct rs_prep *prep, const struct rs_image *whole)
{
    struct rs_prep_constants constants = {{0, 0, 0}, {1, 1, 1}};
    bool none = prep->mode == RS_PREP_NONE || prep->mode == RS_PREP_ZCA;
    for (int c = 0; c < rs_prep_channels(prep) && !none; c++) {
        if (prep->mode == RS_PREP_ZCA_FILTER) {
            constants.shift[c] = prep->whitening ? (double)prep->whitening->mean[c] : 0;
            continue;
        }
        double mean = prep->mean[c], std = prep->std[c];
        if (takes_own_statistics(prep)) {
            double squares, count = image_sums(prep, whole, c, &mean, &squares);
            std = count > 0 ? sqrt(squares / count) : 0;
        }
        if (prep->subtract_mean)
            constants.shift[c] = mean;
        if (prep->divide_std)
            constants.scale[c] = std + RS_PREP_EPSILON;
    }
    return constants;
}

static void shift_and_scale(const struct rs_prep *prep, const struct rs_prep_constants *constants,
                            const struct rs_image *image, float *x)
{
    size_t pixels = (size_t)image->width * (size_t)image->height, planes = (size_t)rs_image_planes(image);
    for (int channel = 0; channel < rs_prep_channels(prep); channel++) {
        double shift = constants->shift[channel], scale = constants->scale[channel], values[PIECE];
        for (size_t at = 0, count; at < pixels; at += count, x += count) {
            const uint16_t *pixel = image->samples + at * planes;
            count = pixels - at < PIECE ? pixels - at : PIECE;
            read_values(prep, image, pixel, count, channel, values);
            for (size_t i = 0; i < count; i++)
                x[i] = (float)((values[i] - shift) / scale);
            clear_others(prep, image, pixel, count, x);
        }
    }
}

/* Outside the field of view all is 0 before the filter, the mean of what it was learnt from, and after it. */
static void filter(const struct rs_prep *prep, const struct rs_prep_constants *constants,
                   const struct rs_image *image, float *x)
{
    int reach = rs_prep_reach(prep), width = image->width - 2 * reach, height = image->height - 2 * reach;
    size_t pixels = (size_t)image->width * (size_t)image->height, channels = (size_t)rs_prep_channels(prep);
    float *wide = rs_alloc(pixels, channels * sizeof *wide);
    shift_and_scale(prep, constants, image, wide);
    rs_whiten_filter(prep->whitening, x, wide, width, height);
    free(wide);
    for (int row = 0; row < (int)channels * height && prep->fov_only; row++)
        for (int column = 0; column < width; column++, x++)
            if (!counts(prep, image, rs_image_at(image, column + reach, row % height + reach)))
                *x = 0;
}

void rs_prep_apply(const struct rs_prep *prep, const struct rs_prep_constants *constants,
                   const struct rs_image *image, float *x)
{
    (prep->mode == RS_PREP_ZCA_FILTER ? filter : shift_and_scale)(prep, constants, image, x);
}

void rs_prep_finish(const struct rs_prep *prep, float *x, int count)
{
    if (prep->mode == RS_PREP_ZCA)
        rs_whiten(prep->whitening, x, count);
}

float rs_prep_beyond(const struct rs_prep *prep, int channel)
{
    if (prep->fov_only || takes_own_statistics(prep) || rs_prep_whitens(prep))
        return 0;
    struct rs_prep_constants constants = rs_prep_constants(prep, NULL);
    return (float)((0 - constants.shift[channel]) / constants.scale[channel]);
}

/* Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
 * (1979). */
void rs_prep_sums_add(struct rs_prep_sums *sums, const struct rs_prep *prep, const struct rs_image *image)
{
    double count = 0;
    for (int c = 0; c < rs_prep_channels(prep); c++) {
        double mean, squares;
        count = image_sums(prep, image, c, &mean, &squares);
        if (count <= 0)
            continue;
        double all = sums->count + count, apart = mean - sums->mean[c];
        sums->mean[c] += apart * count / all;
        sums->squares[c] += squares + apart * apart * sums->count * count / all;
    }
    sums->count += count;
}

const char *rs_prep_sums_end(const struct rs_prep_sums *sums, struct rs_prep *prep)
{
    if (sums->count <= 0)
        return rs_error("no pixel to take statistics of");
    for (int c = 0; c < rs_prep_channels(prep); c++) {
        prep->mean[c] = sums->mean[c];
        prep->std[c] = sqrt(sums->squares[c] / sums->count);
        if (prep->divide_std && prep->std[c] < RS_PREP_EPSILON) /* equal values leave a rounding of 0 */
            return rs_error("channel %d has a standard deviation of 0, by which nothing can be divided",
                            c + 1);
    }
    return NULL;
}
