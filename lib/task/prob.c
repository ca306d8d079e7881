#include "task/prob.h"

#include "layer/probability.h"

void rs_prob_shape(struct rs_image *map, const struct rs_image *photograph)
{
    struct rs_image like = *photograph;
    like.subject = RS_PROB;
    like.maxval = RS_LEVELS - 1;
    rs_image_shape(map, &like, photograph->width, photograph->height, false);
}

void rs_prob_write(struct rs_image *map, const struct rs_image *photograph, size_t number, double p)
{
    const uint16_t *from = photograph->samples + number * (size_t)rs_image_planes(photograph);
    uint16_t *to = map->samples + number * (size_t)rs_image_planes(map);
    int vessel = rs_image_vessel_plane(photograph), fov = rs_image_fov_plane(photograph);
    bool inside = fov < 0 || rs_image_yes(photograph, from[fov]);
    *to++ = (uint16_t)(inside ? rs_level(p) : 0);
    if (vessel >= 0) /* half of an even maxval is no vessel, and stays none */
        *to++ = (uint16_t)((from[vessel] * 65535u + (unsigned)(photograph->maxval - 1) / 2) /
                           (unsigned)photograph->maxval);
    if (map->has_fov)
        *to = inside ? 65535 : 0;
}
