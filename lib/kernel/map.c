#include "kernel/map.h"

static size_t with_border(int size)
{
    return ((size_t)size + RS_TILE - 1) / RS_TILE * RS_TILE + 2;
}

size_t rs_map_floats(int n, int h, int w, int c)
{
    return (size_t)n * with_border(h) * with_border(w) * (size_t)c;
}

struct rs_map rs_map_over(float *data, int n, int h, int w, int c)
{
    struct rs_map map = {.n = n, .h = h, .w = w, .c = c, .pixel = c};
    map.row = (ptrdiff_t)with_border(w) * c;
    map.image = (ptrdiff_t)with_border(h) * map.row;
    map.data = data ? data + map.row + map.pixel : NULL;
    return map;
}

struct rs_map rs_map_take(struct rs_arena *arena, int n, int h, int w, int c)
{
    size_t each = rs_map_floats(1, h, w, c) * sizeof(float);
    return rs_map_over(rs_arena_take(arena, (size_t)n, each), n, h, w, c);
}

struct rs_map rs_map_channels(struct rs_map map, int first, int count)
{
    map.data = map.data ? map.data + first : NULL;
    map.c = count;
    return map;
}

struct rs_map rs_map_images(struct rs_map map, int first, int count)
{
    map.data = map.data ? map.data + first * map.image : NULL;
    map.n = count;
    return map;
}

struct rs_map rs_map_window(struct rs_map map, int y, int x, int h, int w)
{
    map.data = rs_map_at(&map, 0, y, x);
    map.h = h;
    map.w = w;
    return map;
}
