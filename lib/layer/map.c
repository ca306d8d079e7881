#include "layer/map.h"

#include "base/thread.h"

enum { BAND = 16 };

struct rs_map rs_map_take(struct rs_arena *arena, int n, int h, int w, int c)
{
    struct rs_map map = {NULL, n, h, w, c};
    map.data = rs_arena_take(arena, (size_t)n * rs_map_image(&map), sizeof *map.data);
    return map;
}

size_t rs_map_image(const struct rs_map *map)
{
    return (size_t)(map->h + 2) * (size_t)(map->w + 2) * (size_t)map->c;
}

float *rs_map_at(const struct rs_map *map, int n, int y, int x)
{
    ptrdiff_t row = (ptrdiff_t)n * (map->h + 2) + y + 1;
    return map->data + (row * (map->w + 2) + x + 1) * map->c;
}

static int bands_an_image(const struct rs_map *map)
{
    return (map->h + BAND - 1) / BAND;
}

int rs_map_bands(const struct rs_map *map)
{
    return map->n * bands_an_image(map);
}

struct rs_band rs_map_band(const struct rs_map *map, int shard)
{
    int each = bands_an_image(map), from = shard % each * BAND;
    return (struct rs_band){shard / each, from, from + BAND < map->h ? from + BAND : map->h};
}

struct rows {
    const struct rs_map *map;
    void (*work)(void *context, int image, int y);
    void *context;
};

static void run_band(void *context, int shard, int worker)
{
    (void)worker;
    const struct rows *rows = context;
    struct rs_band band = rs_map_band(rows->map, shard);
    for (int y = band.from; y < band.to; y++)
        rows->work(rows->context, band.image, y);
}

void rs_map_rows(const struct rs_map *map, void (*work)(void *context, int image, int y), void *context)
{
    struct rows rows = {map, work, context};
    rs_parallel(run_band, &rows, rs_map_bands(map));
}
