#include "picture/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "picture/fov.h"

/* Tiles of the result. What one is made of fits the cache, and weights are those of a tile, not of an image. */
enum { COLUMNS = 256, ROWS = 64 };

const char *rs_resize_size(const struct rs_image *image, double factor, int64_t most, int *width, int *height)
{
    double w = fmax(1, floor(image->width * factor + .5)), h = fmax(1, floor(image->height * factor + .5));
    if (!(w * h <= (double)most))
        return rs_error("%d x %d pixels, resized by %g, are more than -max-pixels=%jd", image->width,
                        image->height, factor, (intmax_t)most);
    *width = (int)w;
    *height = (int)h;
    return NULL;
}

const char *rs_resize_factor(const struct rs_image *image, double diameter, double *factor)
{
    struct rs_fov fov;
    if (image->subject == RS_PROB && !image->has_fov)
        return rs_error("a map without a field of view, whose diameter nothing tells");
    rs_fov_of(&fov, image);
    if (!fov.found)
        return rs_error(image->has_fov ? "no circle in its field of view, whose diameter could be measured"
                                       : "no field of view found, whose diameter could be measured");
    *factor = diameter / fov.diameter;
    return NULL;
}

struct filter {
    double support; /* it is 0 beyond */
    double (*at)(double x);
};

static double cubic(double x)
{
    x = fabs(x);
    if (x < 1)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static double triangle(double x)
{
    return fmax(0, 1 - fabs(x));
}

/* How one line of the image becomes one of the result. */
struct axis {
    const struct filter *filter;
    double scale, stretch; /* pixels of the image to one of the result; of those the filter is widened by */
    int size, taps;        /* of the image; pixels of it that one of the result is made of */
};

static struct axis axis_of(const struct filter *filter, int from, int to)
{
    struct axis axis = {.filter = filter, .scale = (double)from / to, .size = from};
    axis.stretch = fmax(1, axis.scale);
    axis.taps = (int)fmin(from, 2 * ceil(filter->support * axis.stretch) + 1);
    return axis;
}

static int first_tap(const struct axis *axis, int at)
{
    double first = floor((at + .5) * axis->scale - axis->filter->support * axis->stretch + .5);
    return (int)fmax(0, fmin(first, axis->size - axis->taps));
}

/* The weights of the taps of a pixel; their sum is 1. */
static void set_weights(float *weights, const struct axis *axis, int at)
{
    double centre = (at + .5) * axis->scale - first_tap(axis, at) - .5, sum = 0;
    for (int k = 0; k < axis->taps; k++)
        sum += axis->filter->at((k - centre) / axis->stretch);
    for (int k = 0; k < axis->taps; k++)
        weights[k] = (float)(axis->filter->at((k - centre) / axis->stretch) / sum);
}

/* Planes [from, to) of an image, which pass one filter. */
struct pass {
    int from, to;
    struct axis across, down;
};

struct scratch {
    float *across, *down; /* weights [COLUMNS][taps], [taps] */
    float *row;           /* samples of one row of the result, in the image's columns: [columns][planes] */
};

struct run {
    struct rs_image *to;
    const struct rs_image *from;
    struct pass passes[2];
    int pass_count;
    struct scratch *scratch; /* one a thread */
};

struct tile {
    int left, top, right, bottom;
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* A row of the result that is as wide as the image still, from column `first` on. */
static void sum_down(float *row, const struct rs_image *from, int first, int columns, int top,
                     const float *weights, int taps)
{
    size_t count = (size_t)columns * (size_t)rs_image_planes(from);
    memset(row, 0, count * sizeof *row);
    for (int k = 0; k < taps; k++) {
        const uint16_t *samples = rs_image_at(from, first, top + k);
        for (size_t i = 0; i < count; i++)
            row[i] += weights[k] * (float)samples[i];
    }
}

static uint16_t sum_across(const float *at, int planes, const float *weights, int taps, float maxval)
{
    float sum = .5f;
    for (int k = 0; k < taps; k++, at += planes)
        sum += weights[k] * *at;
    return (uint16_t)(sum < 0 ? 0 : sum > maxval ? maxval : sum);
}

static void filter_tile(const struct run *run, const struct pass *pass, struct tile tile,
                        struct scratch *scratch)
{
    const struct axis *across = &pass->across, *down = &pass->down;
    int planes = rs_image_planes(run->from), first = first_tap(across, tile.left);
    int columns = first_tap(across, tile.right - 1) + across->taps - first;
    for (int x = tile.left; x < tile.right; x++)
        set_weights(scratch->across + (size_t)(x - tile.left) * (size_t)across->taps, across, x);
    for (int y = tile.top; y < tile.bottom; y++) {
        set_weights(scratch->down, down, y);
        sum_down(scratch->row, run->from, first, columns, first_tap(down, y), scratch->down, down->taps);
        const float *weights = scratch->across;
        for (int x = tile.left; x < tile.right; x++, weights += across->taps)
            for (int p = pass->from; p < pass->to; p++)
                rs_image_at(run->to, x, y)[p] =
                    sum_across(scratch->row + (first_tap(across, x) - first) * planes + p, planes, weights,
                               across->taps, (float)run->to->maxval);
    }
}

/* The pixel of the image in which the middle of one of the result lies. */
static int nearest(int at, int from, int to)
{
    return (int)((2 * (int64_t)at + 1) * from / (2 * (int64_t)to));
}

static void take_fov(const struct run *run, struct tile tile)
{
    const struct rs_image *to = run->to, *from = run->from;
    int fov = rs_image_fov_plane(from);
    for (int y = tile.top; fov >= 0 && y < tile.bottom; y++)
        for (int x = tile.left; x < tile.right; x++) {
            const uint16_t *at =
                rs_image_at(from, nearest(x, from->width, to->width), nearest(y, from->height, to->height));
            rs_image_at(to, x, y)[fov] = rs_image_yes(from, at[fov]) ? (uint16_t)to->maxval : 0;
        }
}

static int tiles_across(const struct rs_image *image)
{
    return (image->width + COLUMNS - 1) / COLUMNS;
}

static void resize_tile(void *context, int number, int worker)
{
    const struct run *run = context;
    int left = number % tiles_across(run->to) * COLUMNS, top = number / tiles_across(run->to) * ROWS;
    struct tile tile = {left, top, smaller(left + COLUMNS, run->to->width),
                        smaller(top + ROWS, run->to->height)};
    for (int i = 0; i < run->pass_count; i++)
        filter_tile(run, &run->passes[i], tile, &run->scratch[worker]);
    take_fov(run, tile);
}

static void add_pass(struct run *run, const struct filter *filter, int from, int to)
{
    if (from == to)
        return;
    run->passes[run->pass_count++] =
        (struct pass){from, to, axis_of(filter, run->from->width, run->to->width),
                      axis_of(filter, run->from->height, run->to->height)};
}

static void take_scratch(struct scratch *scratch, const struct run *run)
{
    size_t across = 0, down = 0, columns = 0;
    for (int i = 0; i < run->pass_count; i++) {
        const struct axis *axis = &run->passes[i].across;
        size_t span = (size_t)fmin(axis->size, ceil(COLUMNS * axis->scale) + axis->taps + 1);
        across = (size_t)fmax((double)across, axis->taps);
        down = (size_t)fmax((double)down, run->passes[i].down.taps);
        columns = span > columns ? span : columns;
    }
    scratch->across = rs_alloc(COLUMNS * across, sizeof(float));
    scratch->down = rs_alloc(down, sizeof(float));
    scratch->row = rs_alloc(columns * (size_t)rs_image_planes(run->from), sizeof(float));
}

static void free_scratch(struct scratch *scratch)
{
    free(scratch->across);
    free(scratch->down);
    free(scratch->row);
}

void rs_resize(struct rs_image *to, const struct rs_image *from, int width, int height)
{
    static const struct filter sharp = {2, cubic}, even = {1, triangle};
    struct run run = {
        .to = to, .from = from, .scratch = rs_alloc((size_t)rs_threads(), sizeof(struct scratch))};
    int colors = from->subject == RS_PROB ? 0 : rs_image_subject_planes(from->subject);
    rs_image_shape(to, from, width, height, false);
    add_pass(&run, &sharp, 0, colors);
    add_pass(&run, &even, colors, rs_image_planes(from) - from->has_fov);
    for (int i = 0; i < rs_threads(); i++)
        take_scratch(&run.scratch[i], &run);
    rs_parallel(resize_tile, &run, tiles_across(to) * ((height + ROWS - 1) / ROWS));
    for (int i = 0; i < rs_threads(); i++)
        free_scratch(&run.scratch[i]);
    free(run.scratch);
}
