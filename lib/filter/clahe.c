#include "filter/clahe.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

enum { SHADES = 256 };

struct clahe {
    uint8_t *shades;
    int width, height, tiles, tile_width, tile_height, limit;
    uint8_t (*ranks)[SHADES]; /* [tiles][tiles] */
};

/* Mirrored about the last pixel, which is not repeated; as often as it takes. */
static int mirror(int at, int size)
{
    if (size == 1)
        return 0;
    at %= 2 * size - 2;
    return at < size ? at : 2 * size - 2 - at;
}

static void count_tile(const struct clahe *c, int tile, int histogram[SHADES])
{
    int left = tile % c->tiles * c->tile_width, top = tile / c->tiles * c->tile_height;
    memset(histogram, 0, SHADES * sizeof *histogram);
    for (int y = top; y < top + c->tile_height; y++) {
        const uint8_t *row = c->shades + (size_t)mirror(y, c->height) * (size_t)c->width;
        for (int x = left; x < left + c->tile_width; x++)
            histogram[row[x < c->width ? x : mirror(x, c->width)]]++;
    }
}

/* What is above the limit goes to all shades alike, the rest of that division to every so many of them. */
static void limit(int histogram[SHADES], int most)
{
    int clipped = 0;
    for (int i = 0; i < SHADES; i++)
        if (histogram[i] > most) {
            clipped += histogram[i] - most;
            histogram[i] = most;
        }
    int left = clipped % SHADES, step = left ? SHADES / left : 1;
    for (int i = 0; i < SHADES; i++)
        histogram[i] += clipped / SHADES;
    for (int i = 0; i < SHADES && left > 0; i += step, left--)
        histogram[i]++;
}

static void rank_tile(void *context, int tile, int worker)
{
    const struct clahe *c = context;
    int histogram[SHADES], sum = 0;
    float scale = (float)(SHADES - 1) / (float)(c->tile_width * c->tile_height);
    (void)worker;
    count_tile(c, tile, histogram);
    limit(histogram, c->limit);
    for (int i = 0; i < SHADES; i++) {
        sum += histogram[i];
        c->ranks[tile][i] = (uint8_t)fminf(SHADES - 1, rintf((float)sum * scale));
    }
}

/* The tiles before and behind a pixel, by their middles, and how far it is on its way from the one to the other. */
struct between {
    int before, behind;
    float share;
};

static struct between between(const struct clahe *c, int at, int size)
{
    float place = (float)at * (1.f / (float)size) - .5f;
    int tile = (int)floorf(place);
    return (struct between){tile < 0 ? 0 : tile, tile + 1 < c->tiles ? tile + 1 : c->tiles - 1,
                            place - (float)tile};
}

static void map_row(void *context, int y, int worker)
{
    const struct clahe *c = context;
    uint8_t *row = c->shades + (size_t)y * (size_t)c->width;
    struct between down = between(c, y, c->tile_height);
    uint8_t(*above)[SHADES] = c->ranks + (ptrdiff_t)down.before * c->tiles;
    uint8_t(*below)[SHADES] = c->ranks + (ptrdiff_t)down.behind * c->tiles;
    (void)worker;
    for (int x = 0; x < c->width; x++) {
        struct between right = between(c, x, c->tile_width);
        float upper = (float)above[right.before][row[x]] * (1 - right.share) +
                      (float)above[right.behind][row[x]] * right.share;
        float lower = (float)below[right.before][row[x]] * (1 - right.share) +
                      (float)below[right.behind][row[x]] * right.share;
        row[x] = (uint8_t)rintf(upper * (1 - down.share) + lower * down.share);
    }
}

void rs_clahe(uint8_t *shades, int width, int height, int tiles, double limit_share)
{
    struct clahe c = {.shades = shades, .width = width, .height = height, .tiles = tiles};
    bool whole = width % tiles == 0 && height % tiles == 0;
    c.tile_width = whole ? width / tiles : width / tiles + 1;
    c.tile_height = whole ? height / tiles : height / tiles + 1;
    double most = limit_share * c.tile_width * c.tile_height / SHADES;
    c.limit = most < 1 ? 1 : (int)most;
    c.ranks = rs_alloc((size_t)tiles * (size_t)tiles, sizeof *c.ranks);
    rs_parallel(rank_tile, &c, tiles * tiles);
    rs_parallel(map_row, &c, height);
    free(c.ranks);
}
