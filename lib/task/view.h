/* What the network sees of a photograph: rectangles of it as numbers, black where they reach beyond it, as they are or
 * mirrored. */
#ifndef RS_TASK_VIEW_H
#define RS_TASK_VIEW_H

#include "kernel/map.h"
#include "picture/prep.h"

struct rs_view {
    const struct rs_prep *prep;
    const struct rs_image *photograph;  /* which fits */
    bool windows;                       /* each rectangle is normalised by itself, whatever it is part of */
    struct rs_prep_constants constants; /* of the photograph, where not */
};

void rs_view_start(struct rs_view *view, const struct rs_prep *prep, const struct rs_image *photograph);

/* How a rectangle is mirrored before the network sees it; its answer is mirrored back. */
struct rs_flip {
    bool across, down;
};

struct rs_rectangle {
    int x, y, width, height;
};

/* A part of a rectangle of that size, to where flipping takes it. */
struct rs_rectangle rs_view_flip(struct rs_rectangle part, int width, int height, struct rs_flip flip);

/* Memory of one thread; {0} at first. */
struct rs_view_scratch {
    struct rs_image cut;
    float *numbers;
    size_t room;
};
void rs_view_scratch_free(struct rs_view_scratch *scratch);

/* The numbers [count][channels][height][width] of parts of one size, 0 <= x, y; they are the scratch's. */
const float *rs_view_cut(const struct rs_view *view, struct rs_view_scratch *scratch,
                         const struct rs_rectangle *parts, int count);

/* The same into the images of the map x, which has their size, mirrored. */
void rs_view_put(const struct rs_view *view, struct rs_view_scratch *scratch,
                 const struct rs_rectangle *parts, struct rs_flip flip, struct rs_map *x);

#endif
