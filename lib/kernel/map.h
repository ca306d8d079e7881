/* Feature maps: what kernels and layers read and write.
 *
 * A batch of n maps of h x w pixels and c channels, channels last. A map is a view: `data` is the first channel
 * of the first pixel, and the steps to the next pixel, row and image are its own, so that some channels, images
 * or rows of a map are a map, too. The data belong to whoever allocated them.
 *
 * Around every image lies a border of zeros: one pixel above and to the left, and to the right and below at least
 * one, so many that a tile of 4 x 4 outputs that has begun may read what it needs. Every layer leaves the border
 * as it is and counts on it, and overwrites what it writes unless its header says that it adds. */
#ifndef RS_KERNEL_MAP_H
#define RS_KERNEL_MAP_H

#include <stddef.h>

#include "base/memory.h"

enum { RS_TILE = 4 };

struct rs_map {
    float *data;
    int n, h, w, c;
    ptrdiff_t pixel, row, image; /* floats from one to the next */
};

/* A map in the arena, zeroed there (while the arena counts, its data are NULL). */
struct rs_map rs_map_take(struct rs_arena *arena, int n, int h, int w, int c);

/* A map of that shape over `data` that begin with the border: rs_map_floats of them. */
struct rs_map rs_map_over(float *data, int n, int h, int w, int c);
size_t rs_map_floats(int n, int h, int w, int c);

/* Parts of a map. */
struct rs_map rs_map_channels(struct rs_map map, int first, int count);
struct rs_map rs_map_images(struct rs_map map, int first, int count);
struct rs_map rs_map_window(struct rs_map map, int y, int x, int h, int w);

/* The [c] of a pixel; -1 and h, w are the border. */
static inline float *rs_map_at(const struct rs_map *map, int n, int y, int x)
{
    return map->data + n * map->image + y * map->row + x * map->pixel;
}

#endif
