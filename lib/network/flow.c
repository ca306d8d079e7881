#include "network/flow.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/thread.h"
#include "layer/gate.h"
#include "layer/pool.h"
#include "layer/sum.h"
#include "network/window.h"

/* Tiles of the lowest level that a round should fill in each part, so that weights are not fetched for a few. Floats
 * of a cache line. */
enum { ROUND_TILES = 32, LINE = 16 };

/* A step of the plan: it has written rows [0, done) of its output. */
struct node {
    const struct rs_step *step;
    const float *packed;
    int descent;  /* levels that it leads down */
    int from, to; /* the columns that it writes */
    int done;
};

struct rs_flow {
    struct rs_arena arena;
    struct rs_flow_strip strip;
    struct rs_plan plan;
    struct rs_window windows[RS_MAX_MAPS]; /* of the plan's maps */
    struct node nodes[RS_MAX_STEPS];       /* its steps */
    int round;                             /* rows of input that are fed at once */
    int fed;                               /* rows of input */
    float *scratch;                        /* of each part */
    size_t scratch_floats;
    bool dry; /* no memory yet: rows are counted, not computed */
};

static void lay_out(struct rs_flow *flow, const struct rs_folded *folded)
{
    for (int m = 0; m < flow->plan.map_count; m++) {
        const struct rs_plan_map *map = &flow->plan.maps[m];
        flow->windows[m] =
            rs_window_new(flow->strip.height >> map->level, flow->strip.width >> map->level, map->c);
    }
    for (int i = 0; i < flow->plan.count; i++) {
        const struct rs_step *step = &flow->plan.steps[i];
        flow->nodes[i] = (struct node){
            .step = step, .packed = folded->packed[i], .descent = rs_step_descent(&flow->plan, step)};
    }
}

static struct rs_window *input_of(struct rs_flow *flow, const struct node *node)
{
    return &flow->windows[node->step->in.map];
}

static struct rs_window *output_of(struct rs_flow *flow, const struct node *node)
{
    return &flow->windows[node->step->out.map];
}

/* The other input of a step that has two, of its output's size. */
static struct rs_window *side_of(struct rs_flow *flow, const struct node *node)
{
    return &flow->windows[node->step->side.map];
}

/* Where in its input a row or column of a step's output begins, and how much of its output an input makes, but for
 * what the step looks beyond. */
static int input_at(const struct node *node, int output)
{
    return node->descent > 0 ? 2 * output : node->descent < 0 ? output / 2 : output;
}

static int output_at(const struct node *node, int input)
{
    return node->descent > 0 ? input / 2 : node->descent < 0 ? 2 * input : input;
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

/* The column of its input behind those that a step needs for its own up to `to`. */
static int input_end(const struct node *node, int to)
{
    return input_at(node, to + (node->descent < 0));
}

/* Backwards from the columns that are wanted to those that each step has to write. Whole tiles: whatever enters
 * one leaves its traces in the last bits of all its outputs. */
static void find_columns(struct rs_flow *flow)
{
    rs_window_widen(&flow->windows[flow->plan.map_count - 1], flow->strip.from, flow->strip.to);
    for (int i = flow->plan.count - 1; i >= 0; i--) {
        struct node *node = &flow->nodes[i];
        struct rs_window *out = output_of(flow, node);
        node->from = round_down(out->from);
        node->to = round_up(out->to, out->width);
        rs_window_widen(out, node->from, node->to);
        rs_window_widen(input_of(flow, node), input_at(node, node->from) - node->step->beyond,
                        input_end(node, node->to) + node->step->beyond);
        if (node->step->side.c)
            rs_window_widen(side_of(flow, node), node->from, node->to);
    }
}

/* The first row of a window that a step still needs. */
static int first_needed(struct rs_flow *flow, const struct rs_window *window)
{
    int first = window->height;
    for (int i = 0; i < flow->plan.count; i++) {
        const struct node *node = &flow->nodes[i];
        if (input_of(flow, node) == window)
            first = smaller(first, input_at(node, node->done) - node->step->beyond);
        if (node->step->side.c && side_of(flow, node) == window)
            first = smaller(first, node->done);
    }
    return first;
}

/* Rows of a span that all who write a part of it have written (of the input: that have been fed). */
static int written(struct rs_flow *flow, struct rs_span span)
{
    int rows = span.map == 0 ? flow->fed : flow->windows[span.map].height;
    for (int i = 0; i < flow->plan.count; i++)
        if (rs_span_meets(flow->nodes[i].step->out, span))
            rows = smaller(rows, flow->nodes[i].done);
    return rows;
}

/* The row behind the last that anybody has written. */
static int reached(struct rs_flow *flow, const struct rs_window *window)
{
    int rows = window == flow->windows ? flow->fed : 0;
    for (int i = 0; i < flow->plan.count; i++)
        if (output_of(flow, &flow->nodes[i]) == window)
            rows = larger(rows, flow->nodes[i].done);
    return rows;
}

static int parts_of(const struct rs_flow *flow)
{
    return larger(flow->strip.parts, 1);
}

static void make_room(struct rs_flow *flow, struct rs_window *window, int end)
{
    int rows = reached(flow, window);
    rs_window_make_room(window, smaller(first_needed(flow, window), rows), rows, end, parts_of(flow));
}

/* Rows [done, end) of a step's output. */
struct task {
    struct rs_flow *flow;
    const struct node *node;
    int end;
};

static struct rs_map side_columns(const struct task *task, int from, int to)
{
    struct rs_span side = task->node->step->side;
    struct rs_window *window = side_of(task->flow, task->node);
    return rs_map_channels(rs_window_part(window, task->node->done, task->end, from, to), side.first, side.c);
}

static void run_columns(const struct task *task, int from, int to, float *scratch)
{
    const struct node *node = task->node;
    const struct rs_step *step = node->step;
    const struct rs_window *in = input_of(task->flow, node), *out = output_of(task->flow, node);
    int top = input_at(node, node->done), bottom = input_at(node, task->end), left = input_at(node, from),
        right = input_end(node, to);
    struct rs_map y = rs_window_part(out, node->done, task->end, from, to);
    struct rs_map x = rs_window_part(in, top, bottom, left, right);
    struct rs_up_sides sides = {top > 0, bottom<in->height, left> 0, right < in->width};
    y = rs_map_channels(y, step->out.first, step->out.c);
    x = rs_map_channels(x, step->in.first, step->in.c);
    switch (step->kind) {
    case RS_STEP_UNIT:
    case RS_STEP_PROJECT:
        rs_conv_forward(y, x, step->conv.conv, node->packed, step->relu, scratch);
        break;
    case RS_STEP_COPY:
        rs_sum_copy(y, x);
        break;
    case RS_STEP_ADD:
        rs_sum_forward(y, x, side_columns(task, from, to), true);
        break;
    case RS_STEP_GATE:
        rs_gate_forward(y, x, side_columns(task, from, to));
        break;
    case RS_STEP_POOL:
        rs_pool_forward(y, x);
        break;
    case RS_STEP_UP:
        rs_up_forward(y, x, step->up, sides);
        break;
    }
}

/* Whole tiles, so that no two parts share one. */
static void run_part(void *context, int part, int worker)
{
    const struct task *task = context;
    (void)worker;
    const struct node *node = task->node;
    int parts = parts_of(task->flow), tiles = (node->to - node->from + RS_TILE - 1) / RS_TILE;
    int from = node->from + tiles * part / parts * RS_TILE,
        to = smaller(node->from + tiles * (part + 1) / parts * RS_TILE, node->to);
    if (from < to)
        run_columns(task, from, to, task->flow->scratch + (size_t)part * task->flow->scratch_floats);
}

static void run_rows(struct rs_flow *flow, const struct node *node, int end)
{
    struct task task = {flow, node, end};
    rs_parallel(run_part, &task, parts_of(flow));
}

/* The rows that a step can have written with what its input has: whole tiles where it looks beyond, since a tile
 * reads that far. */
static int possible(struct rs_flow *flow, const struct node *node)
{
    int rows = written(flow, node->step->in), all = input_of(flow, node)->height;
    if (node->step->side.c)
        rows = smaller(rows, written(flow, node->step->side));
    if (rows < all)
        rows = larger(rows - node->step->beyond, 0);
    return node->step->kind == RS_STEP_UNIT && rows < all ? round_down(rows) : output_at(node, rows);
}

/* No more rows than a round of input makes, or all that is left when the last is fed would come at once, and want
 * memory that it alone needs. */
static void advance(struct rs_flow *flow, struct node *node)
{
    struct rs_window *out = output_of(flow, node);
    int level = flow->plan.maps[node->step->out.map].level;
    int end = smaller(possible(flow, node), node->done + (flow->round >> level));
    if (end <= node->done)
        return;
    make_room(flow, out, end);
    if (!flow->dry)
        run_rows(flow, node, end);
    node->done = end;
    if (!flow->dry && end == out->height)
        rs_window_end(out);
}

static void feed(struct rs_flow *flow, rs_flow_source *source, void *context)
{
    struct rs_window *input = flow->windows;
    int end = smaller(flow->fed + flow->round, input->height);
    make_room(flow, input, end);
    if (!flow->dry)
        source(context, rs_window_part(input, flow->fed, end, input->from, input->to), flow->fed,
               input->from);
    flow->fed = end;
    if (!flow->dry && end == input->height)
        rs_window_end(input);
}

static void rewind_all(struct rs_flow *flow)
{
    flow->fed = 0;
    for (int i = 0; i < flow->plan.count; i++)
        flow->nodes[i].done = 0;
    for (int m = 0; m < flow->plan.map_count; m++)
        rs_window_rewind(&flow->windows[m]);
}

void rs_flow_run(struct rs_flow *flow, rs_flow_source *source, rs_flow_sink *sink, void *context)
{
    const struct node *head = &flow->nodes[flow->plan.count - 1];
    const struct rs_window *logits = output_of(flow, head);
    rewind_all(flow);
    while (head->done < flow->strip.height) {
        int from = head->done;
        if (flow->fed < flow->strip.height)
            feed(flow, source, context);
        for (int i = 0; i < flow->plan.count; i++)
            advance(flow, &flow->nodes[i]);
        if (!flow->dry && head->done > from)
            sink(context, rs_window_part(logits, from, head->done, flow->strip.from, flow->strip.to), from,
                 flow->strip.from);
    }
}

static void take_all(struct rs_flow *flow)
{
    size_t most = 0;
    for (int m = 0; m < flow->plan.map_count; m++)
        rs_window_take(&flow->windows[m], &flow->arena, flow->strip.n);
    for (int i = 0; i < flow->plan.count; i++) {
        const struct node *node = &flow->nodes[i];
        size_t scratch = node->packed ? rs_conv_scratch(node->step->conv.conv, 0) : 0;
        most = scratch > most ? scratch : most;
    }
    flow->scratch_floats = (most + LINE - 1) / LINE * LINE;
    flow->scratch =
        rs_arena_take(&flow->arena, (size_t)parts_of(flow) * flow->scratch_floats, sizeof *flow->scratch);
}

/* Rows of input that fill the lowest level's tiles. */
static int round_of(const struct rs_flow *flow)
{
    int lowest = flow->plan.levels - 1, columns = 0;
    for (int m = 0; m < flow->plan.map_count; m++)
        if (flow->plan.maps[m].level == lowest)
            columns = larger(columns, flow->windows[m].to - flow->windows[m].from);
    int across = flow->strip.n * ((columns + RS_TILE - 1) / RS_TILE);
    return (RS_TILE << lowest) * ((ROUND_TILES * parts_of(flow) + across - 1) / across);
}

/* Lays out and counts: all but the memory. */
static void plan(struct rs_flow *flow, const struct rs_folded *folded, const struct rs_flow_strip *strip)
{
    *flow = (struct rs_flow){.strip = *strip, .plan = folded->plan, .dry = true};
    lay_out(flow, folded);
    find_columns(flow);
    flow->round = round_of(flow);
    rs_flow_run(flow, NULL, NULL, NULL);
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
    if (parts_of(flow) > 1)
        rs_arena_touch(&flow->arena);
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
