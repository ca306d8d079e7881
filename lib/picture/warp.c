#include "picture/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"

enum {
    FRAME = 2, /* a tap reaches at most two pixels over the edge, on either side */
    TILE = 256 /* a tile of the copy comes from a part of the image that fits the cache, at any angle */
};

/* The planes of one pixel side by side: what is done to one is done to all. */
typedef float pixel __attribute__((vector_size(16)));
typedef int32_t integers __attribute__((vector_size(16)));
typedef uint16_t samples __attribute__((vector_size(8)));
typedef uint16_t two_samples __attribute__((vector_size(16)));

_Static_assert(RS_MAX_PLANES - 1 <= 4, "all planes but the field of view are the four lanes of a vector");

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void frame_row(uint16_t (*to)[4], const struct rs_image *image, int row, size_t planes)
{
    size_t step = (size_t)rs_image_planes(image);
    const uint16_t *from = rs_image_at(image, 0, row);
    for (int x = -FRAME; x < image->width + FRAME; x++, to++) {
        memcpy(to, from, planes * sizeof **to);
        from += x >= 0 && x < image->width - 1 ? step : 0;
    }
}

void rs_warp_prepare(struct rs_warp *warp, const struct rs_image *image)
{
    size_t width = (size_t)image->width + 2 * FRAME, height = (size_t)image->height + 2 * FRAME;
    warp->image = image;
    warp->planes = (size_t)(rs_image_planes(image) - image->has_fov);
    if (width * height > warp->capacity) {
        free(warp->framed);
        warp->framed = rs_alloc(width * height, sizeof *warp->framed);
        warp->capacity = width * height;
    }
    uint16_t(*to)[4] = warp->framed;
    for (int y = -FRAME; y < image->height + FRAME; y++, to += width)
        frame_row(to, image, y < 0 ? 0 : smaller(y, image->height - 1), warp->planes);
}

void rs_warp_free(struct rs_warp *warp)
{
    free(warp->framed);
    *warp = (struct rs_warp){0};
}

/* Keys' cubic with a = -1 through four samples, at `d` behind the second. Equal samples give that sample
 * exactly, so that cutting off the fraction takes nothing from a flat region. */
static inline pixel cubic(pixel v1, pixel v2, pixel v3, pixel v4, float d)
{
    pixel before = v1 - v2, p4 = v4 - v3 - before, p3 = before - p4, p2 = v3 - v1;
    return v2 + d * (p2 + d * (p3 + d * p4));
}

static inline void load_two(const uint16_t (*from)[4], pixel *first, pixel *second)
{
    two_samples s, zero = {0};
    memcpy(&s, from, sizeof s);
    *first =
        __builtin_convertvector((integers)__builtin_shufflevector(s, zero, 0, 8, 1, 9, 2, 10, 3, 11), pixel);
    *second = __builtin_convertvector((integers)__builtin_shufflevector(s, zero, 4, 12, 5, 13, 6, 14, 7, 15),
                                      pixel);
}

static inline pixel cubic_row(const uint16_t (*at)[4], float d)
{
    pixel v1, v2, v3, v4;
    load_two(at, &v1, &v2);
    load_two(at + 2, &v3, &v4);
    return cubic(v1, v2, v3, v4, d);
}

/* The planes at (x, y) of the image, in pixels from its corner. */
static inline pixel bicubic(const struct rs_warp *warp, double x, double y)
{
    x += FRAME - .5;
    y += FRAME - .5;
    int column = (int)x, row = (int)y; /* neither is negative */
    float dx = (float)(x - column), dy = (float)(y - row);
    size_t width = (size_t)warp->image->width + 2 * FRAME;
    const uint16_t(*at)[4] = warp->framed + (size_t)(row - 1) * width + (size_t)(column - 1);
    return cubic(cubic_row(at, dx), cubic_row(at + width, dx), cubic_row(at + 2 * width, dx),
                 cubic_row(at + 3 * width, dx), dy);
}

static inline samples cut_off(pixel v, float maxval)
{
    pixel most = {maxval, maxval, maxval, maxval};
    integers over = v > most, positive = v > 0;
    integers whole =
        __builtin_convertvector((pixel)(((integers)v & ~over) | ((integers)most & over)), integers);
    return __builtin_convertvector(whole & positive, samples);
}

/* From a pixel of the copy to its place in the image: x' = x xx + y xy + left, y' = x yx + y yy + top. */
struct turn {
    double xx, xy, yx, yy, left, top;
};

/* The inverse of the move. Without a zoom its numbers are to the last bit those of Pillow, whose sines are rounded
 * to 15 digits. */
static struct turn turn_about_centre(const struct rs_image *image, const struct rs_warp_move *move)
{
    double angle = -fmod(move->degrees + 90 * move->quarters, 360) * (M_PI / 180);
    double cosine = rint(cos(angle) * 1e15) / 1e15 / move->zoom,
           sine = rint(sin(angle) * 1e15) / 1e15 / move->zoom;
    double side = move->mirror ? -1 : 1, x = image->width / 2., y = image->height / 2.;
    struct turn turn = {.xx = side * cosine, .xy = side * sine, .yx = -sine, .yy = cosine};
    turn.left = turn.xx * -x + turn.xy * -y + x;
    turn.top = turn.yx * -x + turn.yy * -y + y;
    if (move->zoom == 1 && fmod(move->degrees, 90) == 0 && move->quarters) {
        turn.left = floor(turn.left);
        turn.top = floor(turn.top);
    }
    return turn;
}

/* The first `planes` of a pixel; the size of each copy is a constant. */
static inline void put_planes(uint16_t *to, samples v, size_t planes)
{
    switch (planes) {
    case 1:
        memcpy(to, &v, 1 * sizeof *to);
        break;
    case 2:
        memcpy(to, &v, 2 * sizeof *to);
        break;
    case 3:
        memcpy(to, &v, 3 * sizeof *to);
        break;
    default:
        memcpy(to, &v, 4 * sizeof *to);
    }
}

static void turn_pixel(uint16_t *to, const struct rs_warp *warp, double x, double y)
{
    const struct rs_image *image = warp->image;
    if (!(x >= 0 && x < image->width && y >= 0 && y < image->height))
        return;
    samples v = cut_off(bicubic(warp, x, y), (float)image->maxval);
    put_planes(to, v, warp->planes);
    size_t nearest = (size_t)y * (size_t)image->width + (size_t)x;
    if (!image->has_fov || rs_image_yes(image, image->samples[nearest * (warp->planes + 1) + warp->planes]))
        to[warp->planes] = (uint16_t)image->maxval;
}

struct run {
    struct rs_image *turned;
    const struct rs_warp *warp;
    struct turn turn;
};

static int tiles(int size)
{
    return (size + TILE - 1) / TILE;
}

static void turn_tile(void *context, int tile, int worker)
{
    (void)worker;
    const struct run *run = context;
    const struct rs_image *turned = run->turned;
    const struct turn *turn = &run->turn;
    int left = tile % tiles(turned->width) * TILE, top = tile / tiles(turned->width) * TILE;
    int right = smaller(left + TILE, turned->width), bottom = smaller(top + TILE, turned->height);
    for (int row = top; row < bottom; row++) {
        uint16_t *to = rs_image_at(turned, left, row);
        for (int column = left; column < right; column++, to += run->warp->planes + 1) {
            double x = turn->xx * (column + .5) + turn->xy * (row + .5) + turn->left;
            double y = turn->yx * (column + .5) + turn->yy * (row + .5) + turn->top;
            turn_pixel(to, run->warp, x, y);
        }
    }
}

void rs_warp_turn(struct rs_image *turned, const struct rs_warp *warp, const struct rs_warp_move *move)
{
    const struct rs_image *image = warp->image;
    struct run run = {turned, warp, turn_about_centre(image, move)};
    rs_image_shape(turned, image, image->width, image->height, true);
    rs_parallel(turn_tile, &run, tiles(image->width) * tiles(image->height));
}

struct rs_warp_move rs_warp_draw(const struct rs_warp_range *range, uint64_t seed, uint64_t image,
                                 uint64_t copy)
{
    struct rs_rng rng = rs_rng_at(seed, "rs-rotate", image, copy);
    double degrees = range->angle * rs_rng_uniform(&rng);
    bool mirror = rs_rng_below(&rng, 2);
    int quarters = (int)rs_rng_below(&rng, 4);
    double low = log(range->zoom[0]), high = log(range->zoom[1]);
    double zoom = exp(low + (high - low) * rs_rng_uniform(&rng));
    return (struct rs_warp_move){range->mirror && mirror, zoom, range->quarter ? quarters : 0, degrees};
}

void rs_warp_harden(struct rs_image *image)
{
    int planes = rs_image_planes(image), vessel = rs_image_vessel_plane(image);
    if (vessel < 0)
        return;
    uint16_t *at = image->samples + vessel;
    size_t pixels = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < pixels; i++, at += planes)
        *at = rs_image_yes(image, *at) ? (uint16_t)image->maxval : 0;
}
