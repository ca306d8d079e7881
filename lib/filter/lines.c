#include "filter/lines.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

/* The part of a picture that is a shard. */
enum { ROWS = 96, COLUMNS = 512 };

/* Every line is a column here: pictures are sheared until it is, and transposed before where it is flat. */
struct direction {
    double slope; /* columns to a row */
    int reach;    /* pixels on either side of the middle */
};

struct picture {
    uint8_t *most, *least;
    const uint8_t *shades;
    int width, height;
};

/* A part of the picture, sheared: [rows][width]. */
struct sheared {
    int left, top, rows, width; /* `left` of the row whose shift is 0 */
    uint8_t *shades, *before, *behind, *out;
};

struct openings {
    struct picture picture;
    const struct direction *directions;
    int count;
    struct sheared *workers;
};

int rs_line_pixels(double length, double angle)
{
    double steps = (length - 1) / 2 * fmax(fabs(cos(angle)), fabs(sin(angle)));
    return 2 * (int)fmax(0, floor(steps + .5)) + 1;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int shift(const struct direction *direction, int y)
{
    return (int)floor(.5 + y * direction->slope);
}

/* --- Running extrema --- */

static void least_of(uint8_t *to, const uint8_t *a, const uint8_t *b, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = a[i] < b[i] ? a[i] : b[i];
}

static void most_of(uint8_t *to, const uint8_t *a, const uint8_t *b, int count)
{
    for (int i = 0; i < count; i++)
        to[i] = a[i] > b[i] ? a[i] : b[i];
}

/* In s->out, at every row but the first and last `reach`, the extremum of 2 reach + 1 rows of s->shades: three
 * comparisons a pixel (M. van Herk, 1992; J. Gil, M. Werman, 1993). */
static void run(struct sheared *s, int reach,
                void (*extremum)(uint8_t *, const uint8_t *, const uint8_t *, int))
{
    int length = 2 * reach + 1, width = s->width;
    for (int y = 0; y < s->rows; y++) {
        const uint8_t *here = s->shades + (size_t)y * (size_t)width;
        uint8_t *to = s->before + (size_t)y * (size_t)width;
        if (y % length == 0)
            memcpy(to, here, (size_t)width);
        else
            extremum(to, here, to - width, width);
    }
    for (int y = s->rows - 1; y >= 0; y--) {
        const uint8_t *here = s->shades + (size_t)y * (size_t)width;
        uint8_t *to = s->behind + (size_t)y * (size_t)width;
        if (y % length == length - 1 || y == s->rows - 1)
            memcpy(to, here, (size_t)width);
        else
            extremum(to, here, to + width, width);
    }
    for (int y = reach; y < s->rows - reach; y++)
        extremum(s->out + (size_t)y * (size_t)width, s->behind + (size_t)(y - reach) * (size_t)width,
                 s->before + (size_t)(y + reach) * (size_t)width, width);
}

/* --- Parts --- */

/* Where column `left` of the picture's row y is in its sheared row. */
static int column_of(const struct sheared *s, const struct direction *direction, int y)
{
    return -s->left - shift(direction, y);
}

/* Sets to `shade` what is beyond the picture's edges. */
static void clear_beyond(struct sheared *s, uint8_t *shades, const struct picture *picture,
                         const struct direction *direction, int shade)
{
    for (int row = 0; row < s->rows; row++) {
        uint8_t *to = shades + (size_t)row * (size_t)s->width;
        int y = s->top + row, first = column_of(s, direction, y), end = first + picture->width;
        if (y < 0 || y >= picture->height)
            end = first = s->width;
        first = smaller(larger(first, 0), s->width);
        end = smaller(larger(end, 0), s->width);
        memset(to, shade, (size_t)first);
        memset(to + end, shade, (size_t)(s->width - end));
    }
}

static void take(struct sheared *s, const struct picture *picture, const struct direction *direction)
{
    for (int row = 0; row < s->rows; row++) {
        int y = s->top + row, first = column_of(s, direction, y);
        if (y < 0 || y >= picture->height)
            continue;
        int from = larger(0, -first), to = smaller(picture->width, s->width - first);
        if (from < to)
            memcpy(s->shades + (size_t)row * (size_t)s->width + first + from,
                   picture->shades + (size_t)y * (size_t)picture->width + from, (size_t)(to - from));
    }
    clear_beyond(s, s->shades, picture, direction, UINT8_MAX);
}

/* Erosion, then dilation, each of which leaves out `reach` rows at top and bottom. */
static void open_part(struct sheared *s, const struct picture *picture, const struct direction *direction)
{
    take(s, picture, direction);
    run(s, direction->reach, least_of);
    memcpy(s->shades, s->out, (size_t)s->rows * (size_t)s->width);
    clear_beyond(s, s->shades, picture, direction, 0);
    run(s, direction->reach, most_of);
}

static void place(struct sheared *s, const struct direction *direction, int left, int top, int width,
                  int rows)
{
    s->top = top - 2 * direction->reach;
    s->rows = rows + 4 * direction->reach;
    int a = shift(direction, s->top), b = shift(direction, s->top + s->rows - 1);
    s->left = left - larger(a, b);
    s->width = width + abs(a - b);
}

static int across(const struct picture *picture)
{
    return (picture->width + COLUMNS - 1) / COLUMNS;
}

static void open_shard(void *context, int shard, int worker)
{
    const struct openings *o = context;
    const struct picture *p = &o->picture;
    struct sheared *s = &o->workers[worker];
    int left = shard % across(p) * COLUMNS, top = shard / across(p) * ROWS;
    int width = smaller(COLUMNS, p->width - left), rows = smaller(ROWS, p->height - top);
    for (int k = 0; k < o->count; k++) {
        const struct direction *direction = &o->directions[k];
        place(s, direction, left, top, width, rows);
        open_part(s, p, direction);
        for (int y = top; y < top + rows; y++) {
            const uint8_t *opened =
                s->out + (size_t)(y - s->top) * (size_t)s->width + left + column_of(s, direction, y);
            size_t at = (size_t)y * (size_t)p->width + (size_t)left;
            most_of(p->most + at, p->most + at, opened, width);
            least_of(p->least + at, p->least + at, opened, width);
        }
    }
}

static void open_picture(const struct picture *picture, const struct direction *directions, int count)
{
    struct openings o = {.picture = *picture, .directions = directions, .count = count};
    int reach = 0;
    for (int k = 0; k < count; k++)
        reach = larger(reach, directions[k].reach);
    size_t rows = (size_t)ROWS + 4 * (size_t)reach, bytes = rows * (COLUMNS + rows + 1);
    o.workers = rs_alloc((size_t)rs_threads(), sizeof *o.workers);
    for (int i = 0; i < rs_threads(); i++)
        o.workers[i] = (struct sheared){.shades = rs_alloc(bytes, 1),
                                        .before = rs_alloc(bytes, 1),
                                        .behind = rs_alloc(bytes, 1),
                                        .out = rs_alloc(bytes, 1)};
    rs_parallel(open_shard, &o, across(picture) * ((picture->height + ROWS - 1) / ROWS));
    for (int i = 0; i < rs_threads(); i++) {
        free(o.workers[i].shades);
        free(o.workers[i].before);
        free(o.workers[i].behind);
        free(o.workers[i].out);
    }
    free(o.workers);
}

/* --- All directions --- */

static uint8_t *transposed(const uint8_t *from, int width, int height)
{
    uint8_t *to = rs_alloc((size_t)width * (size_t)height, 1);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            to[(size_t)x * (size_t)height + (size_t)y] = from[(size_t)y * (size_t)width + (size_t)x];
    return to;
}

/* The directions that are steep, or those that are not, as they are in the transposed picture. */
static int choose(struct direction *chosen, double length, int directions, bool steep)
{
    int count = 0;
    for (int k = 0; k < directions; k++) {
        double angle = M_PI * k / directions, x = cos(angle), y = sin(angle);
        if ((fabs(y) >= fabs(x) - 1e-9) == steep)
            chosen[count++] =
                (struct direction){steep ? x / y : y / x, (rs_line_pixels(length, angle) - 1) / 2};
    }
    return count;
}

void rs_line_openings(uint8_t *most, uint8_t *least, const uint8_t *shades, int width, int height,
                      double length, int directions)
{
    size_t pixels = (size_t)width * (size_t)height;
    struct direction *chosen = rs_alloc((size_t)directions, sizeof *chosen);
    uint8_t *flat = transposed(shades, width, height);
    struct picture steep = {most, least, shades, width, height}, other = {NULL, NULL, flat, height, width};
    memset(most, 0, pixels);
    memset(least, UINT8_MAX, pixels);
    open_picture(&steep, chosen, choose(chosen, length, directions, true));
    other.most = transposed(most, width, height);
    other.least = transposed(least, width, height);
    open_picture(&other, chosen, choose(chosen, length, directions, false));
    uint8_t *back = transposed(other.most, height, width);
    memcpy(most, back, pixels);
    free(back);
    back = transposed(other.least, height, width);
    memcpy(least, back, pixels);
    free(back);
    free(flat);
    free(other.most);
    free(other.least);
    free(chosen);
}
