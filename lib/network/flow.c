#include "network/flow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "layer/pool.h"
#include "layer/up.h"

/* Tiles of the lowest level that a step should fill, so that weights are not fetched for a few. */
enum { STEP_TILES = 48, NODES = 7 * RS_MAX_LEVELS, WINDOWS = 6 * RS_MAX_LEVELS };

/* Rows of a map, [base, base + capacity) of its level's, at columns [from, to). */
struct window {
    int level, c, from, to;
    int base, capacity;
    int held; /* the most rows that were wanted at once */
    struct rs_map map;
};

enum kind { CONV, POOL, UP, HEAD };

/* A layer: it has written rows [0, done) of channels [first, first + c) of its output. */
struct node {
    enum kind kind;
    const struct rs_folded_conv *conv;
    struct window *in, *out;
    int first, c;
    int from, to; /* the columns that it writes */
    int done;
};

struct rs_flow {
    struct rs_arena arena;
    struct rs_flow_strip strip;
    int levels, step;
    struct window windows[WINDOWS];
    int window_count;
    struct node nodes[NODES];
    int node_count;
    int fed; /* rows of input */
    float *small, *scratch;
    size_t small_size, scratch_size;
    bool dry; /* no memory yet: rows are counted, not computed */
};

static int height_of(const struct rs_flow *flow, int level)
{
    return flow->strip.height >> level;
}

static int width_of(const struct rs_flow *flow, int level)
{
    return flow->strip.width >> level;
}

static struct window *add_window(struct rs_flow *flow, int level, int c)
{
    struct window *window = &flow->windows[flow->window_count++];
    *window = (struct window){.level = level, .c = c, .from = width_of(flow, level)};
    return window;
}

static struct node *add_node(struct rs_flow *flow, enum kind kind, struct window *in, struct window *out,
                             int first, const struct rs_folded_conv *conv)
{
    struct node *node = &flow->nodes[flow->node_count++];
    *node = (struct node){.kind = kind, .conv = conv, .in = in, .out = out, .first = first};
    node->c = conv ? conv->conv.co : in->c;
    return node;
}

/* Layers in the order in which rows pass them. What a pool reads of a join is its lower half. */
static void lay_out(struct rs_flow *flow, const struct rs_folded *folded)
{
    struct window *join[RS_MAX_LEVELS] = {NULL}, *x = add_window(flow, 0, folded->shape.inputs);
    const int *c = folded->shape.channels;
    for (int l = 0; l < flow->levels; l++) {
        struct window *middle = add_window(flow, l, c[l]);
        join[l] = add_window(flow, l, l + 1 < flow->levels ? 2 * c[l] : c[l]);
        add_node(flow, CONV, x, middle, 0, &folded->enc[l][0]);
        add_node(flow, CONV, middle, join[l], 0, &folded->enc[l][1]);
        if (l + 1 < flow->levels) {
            x = add_window(flow, l + 1, c[l]);
            add_node(flow, POOL, join[l], x, 0, NULL)->c = c[l];
        }
    }
    x = join[flow->levels - 1];
    for (int l = flow->levels - 2; l >= 0; l--) {
        struct window *middle = add_window(flow, l, c[l]), *out = add_window(flow, l, c[l]);
        add_node(flow, UP, x, join[l], c[l], &folded->up[l]);
        add_node(flow, CONV, join[l], middle, 0, &folded->dec[l][0]);
        add_node(flow, CONV, middle, out, 0, &folded->dec[l][1]);
        x = out;
    }
    add_node(flow, HEAD, x, add_window(flow, 0, 1), 0, &folded->head);
}

static int round_down(int at)
{
    return at / RS_TILE * RS_TILE;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int round_up(int at, int end)
{
    return smaller((at + RS_TILE - 1) / RS_TILE * RS_TILE, end);
}

/* Windows begin with a tile, so that the border behind their last column is as wide as tiles want it. */
static void widen(struct rs_flow *flow, struct window *window, int from, int to)
{
    window->from = smaller(window->from, round_down(larger(from, 0)));
    window->to = larger(window->to, smaller(to, width_of(flow, window->level)));
}

/* Backwards from the columns that are wanted to those that each layer has to write. Whole tiles: whatever enters
 * one leaves its traces in the last bits of all its outputs. */
static void find_columns(struct rs_flow *flow)
{
    widen(flow, flow->nodes[flow->node_count - 1].out, flow->strip.from, flow->strip.to);
    for (int i = flow->node_count - 1; i >= 0; i--) {
        struct node *node = &flow->nodes[i];
        node->from = round_down(node->out->from);
        node->to = round_up(node->out->to, width_of(flow, node->out->level));
        widen(flow, node->out, node->from, node->to);
        if (node->kind == CONV)
            widen(flow, node->in, node->from - 1, node->to + 1);
        else if (node->kind == POOL)
            widen(flow, node->in, 2 * node->from, 2 * node->to);
        else if (node->kind == UP)
            widen(flow, node->in, node->from / 2, (node->to + 1) / 2);
        else
            widen(flow, node->in, node->from, node->to);
    }
}

/* The first row that a layer still needs of its input. */
static int needs(const struct node *node)
{
    if (node->kind == CONV)
        return node->done - 1;
    return node->kind == POOL ? 2 * node->done : node->kind == UP ? node->done / 2 : node->done;
}

static int first_needed(const struct rs_flow *flow, const struct window *window)
{
    int first = height_of(flow, window->level);
    for (int i = 0; i < flow->node_count; i++)
        if (flow->nodes[i].in == window)
            first = smaller(first, needs(&flow->nodes[i]));
    return first;
}

/* Rows of a window that all who write it have written (the input: that have been fed). A pool waits for the half of
 * a join that it reads alone. */
static int written(const struct rs_flow *flow, const struct window *window, enum kind reader)
{
    int rows = window == flow->windows ? flow->fed : height_of(flow, window->level);
    for (int i = 0; i < flow->node_count; i++)
        if (flow->nodes[i].out == window && !(reader == POOL && flow->nodes[i].kind == UP))
            rows = smaller(rows, flow->nodes[i].done);
    return rows;
}

/* The row behind the last that anybody has written. */
static int reached(const struct rs_flow *flow, const struct window *window)
{
    int rows = window == flow->windows ? flow->fed : 0;
    for (int i = 0; i < flow->node_count; i++)
        if (flow->nodes[i].out == window)
            rows = larger(rows, flow->nodes[i].done);
    return rows;
}

static struct rs_map rows_of(const struct window *window, int from, int to)
{
    struct rs_map map = window->map;
    map.data = map.data ? rs_map_at(&map, 0, from - window->base - 1, 0) : NULL;
    map.h = to - from;
    return map;
}

static float *row_of(const struct window *window, int image, int row)
{
    return rs_map_at(&window->map, image, row - window->base - 1, -1);
}

/* Room for rows up to `end`, and below an image's last row for the border that tiles read: rows that nobody needs
 * any more make way. */
static void make_room(struct rs_flow *flow, struct window *window, int end)
{
    int last = height_of(flow, window->level),
        first = smaller(first_needed(flow, window), reached(flow, window));
    int limit = end == last ? end + RS_TILE + 1 : end;
    window->held = larger(window->held, limit - first);
    if (flow->dry || limit - window->base <= window->capacity)
        return;
    size_t kept = (size_t)(reached(flow, window) - first) * (size_t)window->map.row;
    for (int image = 0; image < window->map.n; image++)
        memmove(row_of(window, image, window->base), row_of(window, image, first), kept * sizeof(float));
    window->base = first;
}

static void clear_below(const struct rs_flow *flow, struct window *window)
{
    int last = height_of(flow, window->level);
    for (int image = 0; image < window->map.n; image++)
        memset(row_of(window, image, last), 0, (size_t)((RS_TILE + 1) * window->map.row) * sizeof(float));
}

static struct rs_map columns(struct rs_map map, const struct window *window, int from, int to)
{
    return rs_map_window(map, 0, from - window->from, map.h, to - from);
}

static void run_up(struct rs_flow *flow, const struct node *node, struct rs_map y)
{
    int from = node->from / 2, to = (node->to + 1) / 2;
    struct rs_map x =
        columns(rows_of(node->in, node->done / 2, node->done / 2 + y.h / 2), node->in, from, to);
    struct rs_map small = rs_map_over(flow->small, x.n, x.h, x.w, node->c);
    rs_conv_forward(small, x, node->conv->conv, node->conv->packed, false, flow->scratch);
    rs_up_forward(y, small);
}

static void run_rows(struct rs_flow *flow, const struct node *node, int end)
{
    struct rs_map y = columns(rows_of(node->out, node->done, end), node->out, node->from, node->to);
    y = rs_map_channels(y, node->first, node->c);
    if (node->kind == UP) {
        run_up(flow, node, y);
    } else if (node->kind == POOL) {
        struct rs_map x =
            columns(rows_of(node->in, 2 * node->done, 2 * end), node->in, 2 * node->from, 2 * node->to);
        rs_pool_forward(y, rs_map_channels(x, 0, node->c));
    } else {
        struct rs_map x = columns(rows_of(node->in, node->done, end), node->in, node->from, node->to);
        rs_conv_forward(y, x, node->conv->conv, node->conv->packed, node->kind == CONV, flow->scratch);
    }
}

/* The rows that a layer can have written with what its input has. */
static int possible(const struct rs_flow *flow, const struct node *node)
{
    int rows = written(flow, node->in, node->kind), all = height_of(flow, node->in->level);
    if (node->kind == CONV)
        return rows == all ? all : rows < 1 ? 0 : round_down(rows - 1);
    return node->kind == POOL ? rows / 2 : node->kind == UP ? 2 * rows : rows;
}

static void advance(struct rs_flow *flow, struct node *node)
{
    int end = possible(flow, node);
    if (end <= node->done)
        return;
    make_room(flow, node->out, end);
    if (!flow->dry)
        run_rows(flow, node, end);
    node->done = end;
    if (!flow->dry && end == height_of(flow, node->out->level))
        clear_below(flow, node->out);
}

static void feed(struct rs_flow *flow, rs_flow_source *source, void *context)
{
    struct window *input = flow->windows;
    int end = smaller(flow->fed + flow->step, flow->strip.height);
    make_room(flow, input, end);
    if (!flow->dry)
        source(context, rows_of(input, flow->fed, end), flow->fed, input->from);
    flow->fed = end;
    if (!flow->dry && end == flow->strip.height)
        clear_below(flow, input);
}

static void rewind_windows(struct rs_flow *flow)
{
    flow->fed = 0;
    for (int i = 0; i < flow->node_count; i++)
        flow->nodes[i].done = 0;
    for (int i = 0; i < flow->window_count; i++) {
        struct window *window = &flow->windows[i];
        window->base = -1;
        for (int image = 0; !flow->dry && image < window->map.n; image++)
            memset(row_of(window, image, -1), 0, (size_t)window->map.row * sizeof(float));
    }
}

void rs_flow_run(struct rs_flow *flow, rs_flow_source *source, rs_flow_sink *sink, void *context)
{
    struct node *head = &flow->nodes[flow->node_count - 1];
    rewind_windows(flow);
    while (head->done < flow->strip.height) {
        int from = head->done;
        if (flow->fed < flow->strip.height)
            feed(flow, source, context);
        for (int i = 0; i < flow->node_count; i++)
            advance(flow, &flow->nodes[i]);
        if (!flow->dry && head->done > from)
            sink(context,
                 columns(rows_of(head->out, from, head->done), head->out, flow->strip.from, flow->strip.to),
                 from, flow->strip.from);
    }
}

/* A quarter more than is held at most: a row is moved four times or so in its life, which costs less than to touch
 * more memory for the first time. */
static void take_all(struct rs_flow *flow)
{
    for (int i = 0; i < flow->window_count; i++) {
        struct window *window = &flow->windows[i];
        window->capacity = smaller(5 * window->held / 4, height_of(flow, window->level) + RS_TILE + 2) + 1;
        window->map =
            rs_map_take(&flow->arena, flow->strip.n, window->capacity, window->to - window->from, window->c);
    }
    flow->small = rs_arena_take(&flow->arena, flow->small_size, sizeof *flow->small);
    flow->scratch = rs_arena_take(&flow->arena, flow->scratch_size, sizeof *flow->scratch);
}

static void find_sizes(struct rs_flow *flow)
{
    for (int i = 0; i < flow->node_count; i++) {
        const struct node *node = &flow->nodes[i];
        int width = node->to - node->from;
        if (!node->conv)
            continue;
        size_t scratch = rs_conv_scratch(node->conv->conv, width);
        size_t small = rs_map_floats(flow->strip.n, node->out->held / 2 + 1, width / 2 + 1, node->c);
        flow->scratch_size = scratch > flow->scratch_size ? scratch : flow->scratch_size;
        flow->small_size = node->kind == UP && small > flow->small_size ? small : flow->small_size;
    }
}

/* Lays out and counts: all but the memory. */
static void plan(struct rs_flow *flow, const struct rs_folded *folded, const struct rs_flow_strip *strip)
{
    *flow = (struct rs_flow){.strip = *strip, .levels = folded->shape.levels, .dry = true};
    lay_out(flow, folded);
    find_columns(flow);
    const struct window *lowest = flow->nodes[3 * flow->levels - 2].out;
    int across = strip->n * ((lowest->to - lowest->from + RS_TILE - 1) / RS_TILE);
    flow->step = (RS_TILE << (flow->levels - 1)) * ((STEP_TILES + across - 1) / across);
    rs_flow_run(flow, NULL, NULL, NULL);
    find_sizes(flow);
    take_all(flow);
}

size_t rs_flow_bytes(const struct rs_folded *folded, const struct rs_flow_strip *strip)
{
    struct rs_flow flow;
    plan(&flow, folded, strip);
    return flow.arena.used;
}

struct rs_flow *rs_flow_new(const struct rs_folded *folded, const struct rs_flow_strip *strip)
{
    struct rs_flow *flow = rs_alloc(1, sizeof *flow);
    plan(flow, folded, strip);
    rs_arena_reserve(&flow->arena);
    take_all(flow);
    flow->dry = false;
    return flow;
}

void rs_flow_free(struct rs_flow *flow)
{
    if (flow)
        rs_arena_free(&flow->arena);
    free(flow);
}
