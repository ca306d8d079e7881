/* Feature maps: what layers read and write.
 *
 * A batch of n maps of h x w pixels and c channels, channels last, each image inside a border of one pixel of
 * zeros: data [n][h+2][w+2][c]. Every layer leaves the border zero and counts on it, and overwrites what it
 * writes unless its header says that it adds. Maps are views: the data belong to whoever allocated them. */
#ifndef RS_LAYER_MAP_H
#define RS_LAYER_MAP_H

#include <stddef.h>

#include "base/memory.h"

struct rs_map {
    float *data;
    int n, h, w, c;
};

/* A map in the arena, zeroed there (while the arena counts, its data are NULL). */
struct rs_map rs_map_take(struct rs_arena *arena, int n, int h, int w, int c);

size_t rs_map_image(const struct rs_map *map); /* floats of one image with its border */
float *rs_map_at(const struct rs_map *map, int n, int y,
                 int x); /* the [c] of a pixel; -1 and h, w are the border */

/* Calls work(context, image, y) for every row of every image, on the pool's threads. */
void rs_map_rows(const struct rs_map *map, void (*work)(void *context, int image, int y), void *context);

/* Where rows are summed up, they are cut into bands: shards that depend on the map's size alone. */
struct rs_band {
    int image, from, to; /* rows [from, to) */
};
int rs_map_bands(const struct rs_map *map);
struct rs_band rs_map_band(const struct rs_map *map, int shard);

#endif
