#include "task/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "measure/histogram.h"
#include "picture/components.h"
#include "picture/otsu.h"

/* The levels from which on a pixel is vessel, and from which on it is if it leads to one. */
struct levels {
    int strong, weak;
};

const char *rs_mask_parse_threshold(const char *text, struct rs_mask_options *options)
{
    options->otsu = !strcmp(text, "otsu");
    if (options->otsu)
        return NULL;
    const char *error = rs_parse_real(text, 0, 1, &options->threshold);
    return error ? rs_error("%s, otsu or model", error) : NULL;
}

static bool is_inside(const struct rs_image *map, const uint16_t *at, int fov)
{
    return fov < 0 || rs_image_yes(map, at[fov]);
}

static int otsu_level(const struct rs_image *map)
{
    int levels = map->maxval + 1, planes = rs_image_planes(map), fov = rs_image_fov_plane(map);
    uint64_t *histogram = rs_alloc((size_t)levels, sizeof *histogram);
    const uint16_t *end = rs_image_at(map, 0, map->height);
    for (const uint16_t *at = map->samples; at < end; at += planes)
        histogram[at[0]] += is_inside(map, at, fov);
    int level = rs_otsu(histogram, levels);
    free(histogram);
    return level;
}

static struct levels levels_of(const struct rs_mask_options *options, const struct rs_image *map)
{
    struct levels levels;
    levels.strong = options->otsu ? otsu_level(map) : rs_first_level(map->maxval + 1, options->threshold);
    int low = rs_first_level(map->maxval + 1, options->low);
    levels.weak = low < levels.strong ? low : levels.strong;
    return levels;
}

static void mark_row(const struct rs_image *map, int row, struct levels levels, uint8_t *marks)
{
    int planes = rs_image_planes(map), fov = rs_image_fov_plane(map);
    const uint16_t *at = rs_image_at(map, 0, row);
    for (int x = 0; x < map->width; x++, at += planes)
        marks[x] = !is_inside(map, at, fov) || at[0] < levels.weak ? RS_UNMARKED
                   : at[0] < levels.strong                         ? RS_WEAK
                                                                   : RS_STRONG;
}

/* Returns how many pixels are vessel. */
static uint64_t write_row(struct rs_image *map, int row, const uint8_t *marks)
{
    int planes = rs_image_planes(map);
    uint16_t *at = rs_image_at(map, 0, row);
    uint64_t count = 0;
    for (int x = 0; x < map->width; x++, at += planes) {
        bool vessel = marks[x] != RS_UNMARKED;
        at[0] = (uint16_t)(vessel ? map->maxval : 0);
        count += vessel;
    }
    return count;
}

static const char *check(const struct rs_image *map)
{
    char kind[RS_KIND_SIZE];
    rs_image_kind(map, kind);
    if (map->subject == RS_PROB || (map->subject == RS_GRAYSCALE && rs_image_planes(map) == 1))
        return NULL;
    return rs_error(
        "TUPLTYPE %s, but a map of probability is wanted: PROB with its planes, as rs-infer writes "
        "them, or a PGM",
        kind);
}

const char *rs_mask_image(const struct rs_mask_options *options, struct rs_image *map, uint64_t *marked)
{
    const char *error = check(map);
    if (error)
        return error;
    struct levels levels = levels_of(options, map);
    struct rs_components *components = rs_components_start(map->width);
    uint8_t *marks = rs_alloc((size_t)map->width, 1);
    for (int row = 0; row < map->height; row++) {
        mark_row(map, row, levels, marks);
        rs_components_add(components, marks);
    }
    *marked = 0;
    for (int row = 0; row < map->height; row++) {
        mark_row(map, row, levels, marks);
        rs_components_keep(components, marks, options->least);
        *marked += write_row(map, row, marks);
    }
    free(marks);
    rs_components_free(components);
    return NULL;
}
