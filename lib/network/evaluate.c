#include "network/evaluate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct rs_evaluator {
    struct rs_folded folded;
    struct rs_arena arena;
    struct rs_map x, logits;
    struct rs_flow **flows; /* side by side, each made when it is first needed */
    int flow_count;
    int group, n;
    atomic_int next; /* group of a run */
};

struct rs_evaluator *rs_evaluator_new(const struct rs_unet *net, int n, int h, int w, int group)
{
    struct rs_evaluator *e = rs_alloc(1, sizeof *e);
    rs_folded_make(&e->folded, net);
    e->group = group;
    int groups = (n + group - 1) / group;
    e->flow_count = groups < rs_threads() ? groups : rs_threads();
    e->flows = rs_alloc((size_t)e->flow_count, sizeof(struct rs_flow *));
    for (int taking = 0; taking < 2; taking++) {
        e->x = rs_map_take(&e->arena, n, h, w, net->shape.inputs);
        e->logits = rs_map_take(&e->arena, n, h, w, 1);
        if (!taking)
            rs_arena_reserve(&e->arena);
    }
    return e;
}

void rs_evaluator_free(struct rs_evaluator *e)
{
    if (!e)
        return;
    for (int i = 0; i < e->flow_count; i++)
        rs_flow_free(e->flows[i]);
    free(e->flows);
    rs_folded_free(&e->folded);
    rs_arena_free(&e->arena);
    free(e);
}

struct rs_map rs_evaluator_input(const struct rs_evaluator *e)
{
    return e->x;
}

struct group {
    struct rs_map x, logits; /* of its patches */
};

/* Rows of as many patches as `from` has. */
static void copy_rows(struct rs_map to, struct rs_map from)
{
    for (int n = 0; n < from.n; n++)
        for (int i = 0; i < from.h; i++)
            for (int j = 0; j < from.w; j++)
                memcpy(rs_map_at(&to, n, i, j), rs_map_at(&from, n, i, j), (size_t)from.c * sizeof(float));
}

/* What a flow holds of more patches than there are left is computed, and not looked at. */
static void give(void *context, struct rs_map rows, int y, int x)
{
    const struct group *group = context;
    copy_rows(rows, rs_map_window(group->x, y, x, rows.h, rows.w));
}

static void take(void *context, struct rs_map logits, int y, int x)
{
    const struct group *group = context;
    struct rs_map to = rs_map_window(group->logits, y, x, logits.h, logits.w);
    copy_rows(to, rs_map_images(logits, 0, to.n));
}

static void run_group(struct rs_evaluator *e, struct rs_flow *flow, int number)
{
    int first = number * e->group, left = e->n - first, count = left < e->group ? left : e->group;
    struct group group = {rs_map_images(e->x, first, count), rs_map_images(e->logits, first, count)};
    rs_flow_run(flow, give, take, &group);
}

/* One group after the other, whichever is next. */
static void run_flow(void *context, int number, int worker)
{
    struct rs_evaluator *e = context;
    int groups = (e->n + e->group - 1) / e->group;
    (void)worker;
    for (int next; (next = atomic_fetch_add(&e->next, 1)) < groups;) {
        if (!e->flows[number]) {
            struct rs_flow_strip strip = {e->group, e->x.w, e->x.h, 0, e->x.w, 1};
            e->flows[number] = rs_flow_new(&e->folded, &strip);
        }
        run_group(e, e->flows[number], next);
    }
}

struct rs_map rs_evaluator_run(struct rs_evaluator *e, int n)
{
    e->n = n;
    atomic_store(&e->next, 0);
    rs_parallel(run_flow, e, e->flow_count);
    return rs_map_images(e->logits, 0, n);
}
