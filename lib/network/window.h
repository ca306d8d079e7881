/* Rows of a map that pass by: a window holds those that are still needed, at some of the columns of its level. */
#ifndef RS_NETWORK_WINDOW_H
#define RS_NETWORK_WINDOW_H

#include "kernel/map.h"

/* Rows [base, base + capacity), columns [from, to) of a map of that height and width. */
struct rs_window {
    int height, width, c, from, to;
    int base, capacity;
    int held, kept; /* the most rows that were wanted at once, and that others made way for */
    struct rs_map map;
};

struct rs_window rs_window_new(int height, int width, int c);

/* Wants those columns, too. Windows begin with a tile, so that the border behind their last column is as wide as
 * tiles want it. */
void rs_window_widen(struct rs_window *window, int from, int to);

/* Memory for what is held at most and as much again as is kept, so that rows come by as fast as they are moved: to
 * move less often costs more, since memory is touched for the first time then. */
void rs_window_take(struct rs_window *window, struct rs_arena *arena, int n);

/* Back to the top of an image, the border above which is cleared unless there is no memory yet. */
void rs_window_rewind(struct rs_window *window);

/* Room for rows up to `end`, and below an image's last row for the border that tiles read: rows before `first`,
 * which nobody needs any more, make way; rows up to `reached` are kept. They are moved in
 * so many parts, on the pool's threads. Without memory it is counted. */
void rs_window_make_room(struct rs_window *window, int first, int reached, int end, int parts);

/* Clears the border below an image's last row. */
void rs_window_end(struct rs_window *window);

/* Rows and columns of the level, as a map. */
struct rs_map rs_window_part(const struct rs_window *window, int top, int bottom, int from, int to);

#endif
