#include "filter/plane.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

enum { BAND = 128 /* rows of a shard */ };

static const float VARIANCE = 1; /* that every surroundings have at least: a shade of 256, squared */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static size_t pixels_of(const struct rs_plane *plane)
{
    return (size_t)plane->width * (size_t)plane->height;
}

struct rs_plane rs_plane_start(int width, int height)
{
    struct rs_plane plane = {.width = width, .height = height};
    plane.at = rs_alloc(pixels_of(&plane), sizeof *plane.at);
    plane.inside = rs_alloc(pixels_of(&plane), sizeof *plane.inside);
    return plane;
}

void rs_plane_free(struct rs_plane *plane)
{
    free(plane->at);
    free(plane->inside);
    *plane = (struct rs_plane){0};
}

/* --- From a photograph, and back --- */

/* The sum of a square's samples; `inside` becomes whether all of them are in the field of view. */
static uint64_t sum_square(const struct rs_image *image, int left, int top, int block, int *count,
                           uint8_t *inside)
{
    int planes = rs_image_planes(image), fov = rs_image_fov_plane(image);
    int green = rs_image_subject_planes(image->subject) == 3 ? 1 : 0;
    int right = smaller(left + block, image->width), bottom = smaller(top + block, image->height);
    uint64_t sum = 0;
    *inside = 1;
    for (int y = top; y < bottom; y++) {
        const uint16_t *at = rs_image_at(image, left, y);
        for (int x = left; x < right; x++, at += planes) {
            sum += at[green];
            *inside &= fov < 0 || rs_image_yes(image, at[fov]);
        }
    }
    *count = (right - left) * (bottom - top);
    return sum;
}

struct rs_plane rs_plane_of(const struct rs_image *photograph, int block)
{
    struct rs_plane plane =
        rs_plane_start((photograph->width + block - 1) / block, (photograph->height + block - 1) / block);
    for (int y = 0, i = 0; y < plane.height; y++)
        for (int x = 0; x < plane.width; x++, i++) {
            int count;
            uint64_t sum = sum_square(photograph, x * block, y * block, block, &count, &plane.inside[i]);
            plane.at[i] = (float)(255 - 255. * (double)sum / ((double)count * photograph->maxval));
        }
    return plane;
}

/* Where the middle of pixel `at` lies among `count` squares: behind that of the first that is returned. */
static int place(int at, int block, int count, float *share)
{
    float square = ((float)at + .5f) / (float)block - .5f;
    int before = larger(0, smaller((int)floorf(square), count - 2));
    *share = count < 2 ? 0 : fminf(1, fmaxf(0, square - (float)before));
    return before;
}

float rs_plane_between(const struct rs_plane *plane, int block, int x, int y)
{
    float right, down;
    int column = place(x, block, plane->width, &right), row = place(y, block, plane->height, &down);
    const float *above = plane->at + (size_t)row * (size_t)plane->width + column;
    const float *below = plane->height > 1 ? above + plane->width : above;
    int next = plane->width > 1;
    float upper = above[0] + right * (above[next] - above[0]);
    float lower = below[0] + right * (below[next] - below[0]);
    return upper + down * (lower - upper);
}

/* --- The field of view --- */

/* Clears what is no more than `radius` behind or before an element that was 0: of `count`, `step` apart. */
static void shrink_line(uint8_t *inside, int count, int step, int radius)
{
    int64_t since = (int64_t)radius + 1; /* the last outside */
    for (int i = 0; i < count; i++) {
        uint8_t *here = inside + (ptrdiff_t)i * step;
        since = *here ? since + 1 : 0;
        *here = *here && since > radius ? 1 : *here ? 2 : 0; /* 2: cleared, and no reason to clear more */
    }
    since = (int64_t)radius + 1;
    for (int i = count - 1; i >= 0; i--) {
        uint8_t *here = inside + (ptrdiff_t)i * step;
        since = *here ? since + 1 : 0;
        *here = *here == 1 && since > radius;
    }
}

void rs_plane_shrink(struct rs_plane *plane, int radius)
{
    for (int y = 0; y < plane->height; y++)
        shrink_line(plane->inside + (size_t)y * (size_t)plane->width, plane->width, 1, radius);
    for (int x = 0; x < plane->width; x++)
        shrink_line(plane->inside + x, plane->height, plane->width, radius);
}

/* --- Means of squares --- */

struct means {
    const struct rs_plane *plane;
    float *to;
    const float *from;
    int radius;
    double **sums; /* a worker: [2][width], of the columns of a square: values, pixels */
};

static void add_row(const struct means *means, double *sums, int row, double sign)
{
    int width = means->plane->width;
    if (row < 0 || row >= means->plane->height)
        return;
    const float *from = means->from + (size_t)row * (size_t)width;
    const uint8_t *inside = means->plane->inside + (size_t)row * (size_t)width;
    for (int x = 0; x < width; x++) {
        double here = sign * inside[x];
        sums[x] += here * (double)from[x];
        sums[width + x] += here;
    }
}

static void mean_row(const struct means *means, const double *sums, int row)
{
    int width = means->plane->width, radius = means->radius;
    float *to = means->to + (size_t)row * (size_t)width;
    double sum = 0, count = 0;
    for (int x = 0; x < smaller(radius, width); x++) {
        sum += sums[x];
        count += sums[width + x];
    }
    for (int x = 0; x < width; x++) {
        if (x + radius < width) {
            sum += sums[x + radius];
            count += sums[width + x + radius];
        }
        if (x > radius) {
            sum -= sums[x - radius - 1];
            count -= sums[width + x - radius - 1];
        }
        to[x] = count > .5 ? (float)(sum / count) : 0;
    }
}

static void mean_band(void *context, int shard, int worker)
{
    const struct means *means = context;
    double *sums = means->sums[worker];
    int first = shard * BAND, end = smaller(first + BAND, means->plane->height);
    for (int x = 0; x < 2 * means->plane->width; x++)
        sums[x] = 0;
    for (int row = first - means->radius; row < first + means->radius; row++)
        add_row(means, sums, row, 1);
    for (int row = first; row < end; row++) {
        add_row(means, sums, row + means->radius, 1);
        mean_row(means, sums, row);
        add_row(means, sums, row - means->radius, -1);
    }
}

void rs_plane_mean(const struct rs_plane *plane, float *to, const float *from, int radius)
{
    struct means means = {.plane = plane, .to = to, .from = from, .radius = radius};
    means.sums = rs_alloc((size_t)rs_threads(), sizeof *means.sums);
    for (int i = 0; i < rs_threads(); i++)
        means.sums[i] = rs_alloc(2 * (size_t)plane->width, sizeof **means.sums);
    rs_parallel(mean_band, &means, (plane->height + BAND - 1) / BAND);
    for (int i = 0; i < rs_threads(); i++)
        free(means.sums[i]);
    free(means.sums);
}

void rs_plane_flatten(struct rs_plane *plane, int radius)
{
    size_t pixels = pixels_of(plane), count = 0;
    float *mean = rs_alloc(pixels, sizeof *mean), *square = rs_alloc(pixels, sizeof *square);
    double sum = 0;
    rs_plane_mean(plane, mean, plane->at, radius);
    for (size_t i = 0; i < pixels; i++) {
        plane->at[i] = plane->inside[i] ? plane->at[i] - mean[i] : 0;
        square[i] = plane->at[i] * plane->at[i];
        sum += (double)square[i];
        count += plane->inside[i];
    }
    float whole = (float)(sum / (double)(count ? count : 1)) + VARIANCE;
    rs_plane_mean(plane, mean, square, radius);
    for (size_t i = 0; i < pixels; i++)
        plane->at[i] /= sqrtf(sqrtf((mean[i] + VARIANCE) * whole));
    free(mean);
    free(square);
}
