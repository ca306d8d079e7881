#include "network/plan.h"

#include <stdio.h>
#include <stdlib.h>

struct builder {
    struct rs_unet *net;
    struct rs_plan plan;
};

static struct rs_span add_map(struct builder *b, int level, int c)
{
    b->plan.maps[b->plan.map_count] = (struct rs_plan_map){level, c};
    return (struct rs_span){b->plan.map_count++, 0, c};
}

static struct rs_span part(struct rs_span span, int first, int c)
{
    return (struct rs_span){span.map, span.first + first, c};
}

static struct rs_step *add_step(struct builder *b, enum rs_step_kind kind, struct rs_span in,
                                struct rs_span out)
{
    struct rs_step *step = &b->plan.steps[b->plan.count++];
    *step = (struct rs_step){.kind = kind, .in = in, .out = out, .level = b->plan.maps[in.map].level};
    return step;
}

static int level_of(const struct builder *b, struct rs_span span)
{
    return b->plan.maps[span.map].level;
}

struct name {
    char text[24];
};

/* "enc1.conv2": level 0 is the first. */
static struct name name_of(const char *what, int level, const char *layer, int number)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "%s%d.%s%d", what, level + 1, layer, number);
    return name;
}

static void add_unit(struct builder *b, const char *what, int number, struct rs_span in, struct rs_span out)
{
    int level = level_of(b, in);
    struct rs_step *step = add_step(b, RS_STEP_UNIT, in, out);
    step->beyond = 1;
    step->relu = true;
    step->conv = rs_layout_conv(b->net, name_of(what, level, "conv", number).text,
                                (struct rs_conv){3, in.c, out.c}, false);
    step->norm = rs_layout_norm(b->net, name_of(what, level, "norm", number).text, out.c);
}

static void add_double(struct builder *b, const char *what, struct rs_span in, struct rs_span out)
{
    struct rs_span between = add_map(b, level_of(b, in), out.c);
    add_unit(b, what, 1, in, between);
    add_unit(b, what, 2, between, out);
}

/* The shortcut comes first, so that its gradient finds that of the block's first convolution there. */
static void add_residual(struct builder *b, const char *what, struct rs_span in, struct rs_span out)
{
    int level = level_of(b, in);
    bool same = in.c == out.c;
    char name[24];
    struct rs_span side = add_map(b, level, out.c), sum = add_map(b, level, out.c);
    struct rs_step *step = add_step(b, same ? RS_STEP_COPY : RS_STEP_PROJECT, in, side);
    snprintf(name, sizeof name, "%s%d.shortcut", what, level + 1);
    if (!same)
        step->conv = rs_layout_conv(b->net, name, (struct rs_conv){1, in.c, out.c}, false);
    add_double(b, what, in, sum);
    b->plan.steps[b->plan.count - 1].relu = false;
    add_step(b, RS_STEP_ADD, sum, out)->side = side;
}

static void add_block(struct builder *b, const char *what, struct rs_span in, struct rs_span out)
{
    if (b->net->shape.block == RS_BLOCK_RESIDUAL)
        add_residual(b, what, in, out);
    else
        add_double(b, what, in, out);
}

static void add_up(struct builder *b, struct rs_span below, struct rs_span out)
{
    enum rs_up kind = b->net->shape.up;
    bool transposed = kind == RS_UP_TRANSPOSED;
    char name[16];
    snprintf(name, sizeof name, "up%d", level_of(b, out) + 1);
    struct rs_span small = add_map(b, level_of(b, below), transposed ? 4 * out.c : out.c);
    struct rs_step *step = add_step(b, RS_STEP_PROJECT, below, small);
    step->conv = transposed ? rs_layout_transposed(b->net, name, below.c, out.c)
                            : rs_layout_conv(b->net, name, (struct rs_conv){1, below.c, out.c}, true);
    step = add_step(b, RS_STEP_UP, small, out);
    step->up = kind;
    step->beyond = kind == RS_UP_BILINEAR;
}

/* `both` is what comes from below and, behind it, what comes from the left, of which `out` is to be the gated. */
static void add_gate(struct builder *b, struct rs_span both, struct rs_span out)
{
    int level = level_of(b, out), c = out.c > 1 ? out.c / 2 : 1;
    struct rs_span hidden = add_map(b, level, c), score = add_map(b, level, 1);
    struct rs_step *step = add_step(b, RS_STEP_PROJECT, both, hidden);
    step->relu = true;
    step->conv =
        rs_layout_conv(b->net, name_of("gate", level, "conv", 1).text, (struct rs_conv){1, both.c, c}, true);
    add_step(b, RS_STEP_PROJECT, hidden, score)->conv =
        rs_layout_conv(b->net, name_of("gate", level, "conv", 2).text, (struct rs_conv){1, c, 1}, true);
    add_step(b, RS_STEP_GATE, part(both, out.c, out.c), out)->side = score;
}

/* What goes to the right on a level: [from the left, from below], and with gates [the first of them gated, from below,
 * from the left]. `left` is where the encoder writes. */
struct join {
    struct rs_span all, left, from_below;
};

static struct join add_join(struct builder *b, int level, int c)
{
    bool gated = b->net->shape.block == RS_BLOCK_ATTENTION;
    struct rs_span map = add_map(b, level, gated ? 3 * c : 2 * c);
    return (struct join){part(map, 0, 2 * c), part(map, gated ? 2 * c : 0, c), part(map, c, c)};
}

static void add_network(struct builder *b)
{
    const int *c = b->net->shape.channels, lowest = b->net->shape.levels - 1;
    struct join join[RS_MAX_LEVELS];
    struct rs_span x = add_map(b, 0, b->net->shape.inputs), out;
    for (int l = 0; l <= lowest; l++) {
        if (l > 0) {
            out = add_map(b, l, c[l - 1]);
            add_step(b, RS_STEP_POOL, x, out);
            x = out;
        }
        if (l < lowest)
            join[l] = add_join(b, l, c[l]);
        out = l < lowest ? join[l].left : add_map(b, l, c[l]);
        add_block(b, "enc", x, out);
        x = out;
    }
    for (int l = lowest - 1; l >= 0; l--) {
        add_up(b, x, join[l].from_below);
        if (b->net->shape.block == RS_BLOCK_ATTENTION)
            add_gate(b, part(join[l].from_below, 0, 2 * c[l]), part(join[l].all, 0, c[l]));
        x = add_map(b, l, c[l]);
        add_block(b, "dec", join[l].all, x);
    }
    add_step(b, RS_STEP_PROJECT, x, add_map(b, 0, 1))->conv =
        rs_layout_conv(b->net, "head", (struct rs_conv){1, x.c, 1}, true);
}

bool rs_span_meets(struct rs_span a, struct rs_span b)
{
    return a.map == b.map && a.first < b.first + b.c && b.first < a.first + a.c;
}

static void find_readers(struct rs_plan *plan)
{
    for (int i = 0; i < plan->count; i++)
        for (int later = i + 1; later < plan->count; later++)
            plan->steps[i].adds |= rs_span_meets(plan->steps[i].in, plan->steps[later].in);
}

struct rs_plan rs_plan_lay_out(struct rs_unet *net)
{
    struct builder b = {.net = net, .plan = {.levels = net->shape.levels}};
    add_network(&b);
    find_readers(&b.plan);
    return b.plan;
}

struct rs_plan rs_plan_of(const struct rs_unet_shape *shape)
{
    struct rs_unet copy = {.shape = *shape};
    struct rs_plan plan = rs_plan_lay_out(&copy);
    free(copy.entries);
    return plan;
}

int rs_step_descent(const struct rs_plan *plan, const struct rs_step *step)
{
    return plan->maps[step->out.map].level - step->level;
}

double rs_plan_products(const struct rs_plan *plan)
{
    double sum = 0;
    for (int i = 0; i < plan->count; i++) {
        struct rs_conv conv = plan->steps[i].conv.conv; /* zeros where there is none */
        sum += (double)conv.size * conv.size * conv.ci * conv.co / (double)(1 << 2 * plan->steps[i].level);
    }
    return sum;
}
