/* Maps of probability, as they are written: a PROB image in place of a photograph's planes. */
#ifndef RS_TASK_PROB_H
#define RS_TASK_PROB_H

#include "format/image.h"

/* `map` becomes a PROB image of the photograph's size, maxval 65535, with planes of truth and field of view if the
 * photograph has them; every sample 0. Starts as {0}. */
void rs_prob_shape(struct rs_image *map, const struct rs_image *photograph);

/* Pixel `number` of that map: the level of p; the truth keeps its share of vessel, the field of view its yes or no, outside
 * which the level is 0. The photograph may have got a field of view that the map has no plane of. */
void rs_prob_write(struct rs_image *map, const struct rs_image *photograph, size_t number, double p);

#endif
