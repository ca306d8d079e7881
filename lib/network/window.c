#include "network/window.h"

#include <string.h>

#include "base/thread.h"

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

struct rs_window rs_window_new(int height, int width, int c)
{
    return (struct rs_window){.height = height, .width = width, .c = c, .from = width};
}

void rs_window_widen(struct rs_window *window, int from, int to)
{
    window->from = smaller(window->from, larger(from, 0) / RS_TILE * RS_TILE);
    window->to = larger(window->to, smaller(to, window->width));
}

void rs_window_take(struct rs_window *window, struct rs_arena *arena, int n)
{
    window->capacity = smaller(window->held + window->kept, window->height + RS_TILE + 2) + 1;
    window->map = rs_map_take(arena, n, window->capacity, window->to - window->from, window->c);
}

static float *row_of(const struct rs_window *window, int image, int row)
{
    return rs_map_at(&window->map, image, row - window->base - 1, -1);
}

void rs_window_rewind(struct rs_window *window)
{
    window->base = -1;
    for (int image = 0; window->map.data && image < window->map.n; image++)
        memset(row_of(window, image, -1), 0, (size_t)window->map.row * sizeof(float));
}

/* Rows [first, reached) move up to the top; each part its share of each row. */
struct move {
    const struct rs_window *window;
    int first, reached, parts;
};

static void move_part(void *context, int part, int worker)
{
    const struct move *move = context;
    const struct rs_window *window = move->window;
    ptrdiff_t row = window->map.row, from = row * part / move->parts, to = row * (part + 1) / move->parts;
    (void)worker;
    for (int image = 0; image < window->map.n; image++)
        for (int i = move->first; i < move->reached; i++)
            memmove(row_of(window, image, window->base + i - move->first) + from,
                    row_of(window, image, i) + from, (size_t)(to - from) * sizeof(float));
}

void rs_window_make_room(struct rs_window *window, int first, int reached, int end, int parts)
{
    int limit = end == window->height ? end + RS_TILE + 1 : end;
    window->held = larger(window->held, limit - first);
    window->kept = larger(window->kept, reached - first);
    if (!window->map.data || limit - window->base <= window->capacity)
        return;
    struct move move = {window, first, reached, parts};
    rs_parallel(move_part, &move, parts);
    window->base = first;
}

void rs_window_end(struct rs_window *window)
{
    for (int image = 0; image < window->map.n; image++)
        memset(row_of(window, image, window->height), 0,
               (size_t)((RS_TILE + 1) * window->map.row) * sizeof(float));
}

struct rs_map rs_window_part(const struct rs_window *window, int top, int bottom, int from, int to)
{
    return rs_map_window(window->map, top - window->base - 1, from - window->from, bottom - top, to - from);
}
