/* Connected components of a picture, found a row at a time: pixels that are marked, and marked neighbours of them
 * (8-connected). Two passes over the same rows: the first, rs_components_add, finds the components; the second,
 * rs_components_keep, takes away the marks of those that are not wanted.
 *
 * Runs of marked pixels are the members of a union-find structure (R. E. Tarjan, "Efficiency of a good but not
 * linear set union algorithm", J. ACM 22, 1975), numbered as they come, so that the second pass knows them again:
 * memory is some 8 bytes a run, and there are few of them in a mask of vessels. */
#ifndef RS_PICTURE_COMPONENTS_H
#define RS_PICTURE_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

/* A pixel: not marked; marked; marked, and a reason to keep its component. */
enum { RS_UNMARKED, RS_WEAK, RS_STRONG };

struct rs_components;

/* For pictures `width` wide and of at most RS_MAX_PIXELS. */
struct rs_components *rs_components_start(int width);
void rs_components_free(struct rs_components *components);

/* The next row, [width] of the above. */
void rs_components_add(struct rs_components *components, const uint8_t *marks);

/* After the last row, the first and so on again, as they were: unmarks what belongs to components of fewer than
 * `least` pixels, or without a strong one. */
void rs_components_keep(struct rs_components *components, uint8_t *marks, uint32_t least);

#endif
