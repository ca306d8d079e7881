/* Networks in use: the same bits however images are cut, by whatever threads, and the twin's logits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "kernel/kernel.h"
#include "network/evaluate.h"
#include "network/flow.h"
#include "tap.h"
#include "twins.h"

static const struct rs_unet_shape shapes[] = {{3, 2, {8, 16}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {3, 3, {8, 16, 32}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {1, 3, {16, 32, 48}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {3, 3, {5, 7, 9}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {1, 4, {8, 16, 16, 32}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {3, 4, {3, 5, 16, 7}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {1, 5, {4, 8, 8, 16, 16}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {3, 2, {16, 5}, RS_BLOCK_DOUBLE, RS_UP_NEAREST},
                                              {3, 3, {8, 16, 32}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR},
                                              {1, 4, {5, 8, 3, 16}, RS_BLOCK_DOUBLE, RS_UP_BILINEAR},
                                              {3, 3, {8, 16, 32}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED},
                                              {1, 4, {5, 8, 3, 16}, RS_BLOCK_DOUBLE, RS_UP_TRANSPOSED},
                                              {3, 3, {8, 16, 32}, RS_BLOCK_RESIDUAL, RS_UP_NEAREST},
                                              {1, 4, {1, 8, 8, 5}, RS_BLOCK_RESIDUAL, RS_UP_BILINEAR},
                                              {3, 3, {16, 16, 16}, RS_BLOCK_RESIDUAL, RS_UP_TRANSPOSED},
                                              {3, 3, {8, 16, 32}, RS_BLOCK_ATTENTION, RS_UP_NEAREST},
                                              {1, 4, {1, 8, 3, 5}, RS_BLOCK_ATTENTION, RS_UP_BILINEAR},
                                              {3, 3, {16, 16, 16}, RS_BLOCK_ATTENTION, RS_UP_TRANSPOSED}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A network in use, and images for it. */
struct use {
    struct rs_unet net;
    struct rs_folded folded;
    struct rs_map x, logits;
    int images; /* of x that are at hand */
    int wrong;  /* rows that a source or sink was called for out of order, or beside the image */
    int fed, taken, from, to;
    int parts;
};

/* Statistics as training might have left them. */
static void draw_net(struct rs_unet *net, const struct rs_unet_shape *shape)
{
    rs_unet_build(net, shape);
    draw_all(net);
    for (int i = 0; i < net->count; i++)
        for (size_t k = 0; net->entries[i].statistic && k < net->entries[i].count; k++) {
            float *value = &net->statistics[net->entries[i].offset + k];
            *value = *value > 0 ? 1.5f + noise() : noise();
        }
}

static struct use use_new(const struct rs_unet_shape *shape, int n, int h, int w)
{
    struct use u = {.x = map_noise(n, h, w, shape->inputs)};
    draw_net(&u.net, shape);
    rs_folded_make(&u.folded, &u.net);
    u.logits = map_unwritten(n, h, w, 1);
    return u;
}

static void use_free(struct use *u)
{
    rs_folded_free(&u->folded);
    rs_unet_free(&u->net);
    map_free(u->x);
    map_free(u->logits);
}

static void source(void *context, struct rs_map rows, int y, int x)
{
    struct use *u = context;
    u->wrong += y != u->fed || x < 0 || rows.h < 1 || y + rows.h > u->x.h || x + rows.w > u->x.w;
    u->fed = y + rows.h;
    struct rs_map from = rs_map_window(u->x, y, x, rows.h, rows.w);
    map_copy(rows, &from);
}

static void sink(void *context, struct rs_map logits, int y, int x)
{
    struct use *u = context;
    u->wrong +=
        y != u->taken || x != u->from || logits.w != u->to - u->from || logits.n != u->x.n || logits.c != 1;
    u->taken = y + logits.h;
    map_copy(rs_map_window(u->logits, y, x, logits.h, logits.w), &logits);
}

static void run_strip(struct use *u, struct rs_flow *flow, int from, int to)
{
    u->fed = u->taken = 0;
    u->from = from;
    u->to = to;
    rs_flow_run(flow, source, sink, u);
    u->wrong += u->fed != u->x.h || u->taken != u->x.h;
}

/* Strips of `width` columns, from left to right; NaN remains where there was none. */
static void run_strips(struct use *u, int width)
{
    for (int from = 0; from < u->x.w; from += width) {
        int to = from + width < u->x.w ? from + width : u->x.w;
        struct rs_flow_strip strip = {u->x.n, u->x.w, u->x.h, from, to, u->parts};
        struct rs_flow *flow = rs_flow_new(&u->folded, &strip);
        run_strip(u, flow, from, to);
        rs_flow_free(flow);
    }
}

/* The whole network is held to what a single convolution may be off, in units of the largest logit. */
static void check_twin(struct use *u, const char *name)
{
    double *p = doubles(u->net.parameters, u->net.parameter_count);
    double *statistics = doubles(u->net.statistics, u->net.statistic_count), most = 0, largest = 0;
    struct net_twin twin = {.net = u->net, .p = p, .statistics = statistics};
    struct field x = field_of(&u->x), found = field_of(&u->logits), wanted = logits_twin(&twin, &x);
    for (size_t i = 0; i < cells(&found); i++) {
        most = isnan(found.v[i]) ? (double)INFINITY : fmax(most, fabs(found.v[i] - wanted.v[i]));
        largest = fmax(largest, fabs(wanted.v[i]));
    }
    near(most / largest, 0, WINOGRAD, "%s: the twin's logits, of up to %.3g", name, largest);
    void *all[] = {p, statistics, x.v, found.v, wanted.v};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void name_of(char name[96], const struct use *u)
{
    int at =
        snprintf(name, 96, "%d of %d x %d, %s, channels", u->x.n, u->x.w, u->x.h, kind_name(&u->net.shape));
    for (int l = 0; l < u->net.shape.levels; l++)
        at += snprintf(name + at, (size_t)(96 - at), " %d", u->net.shape.channels[l]);
}

/* What all others are compared with: the logits of one strip in one part. */
static struct rs_map start_whole(struct use *u, const struct rs_unet_shape *shape, int n, int h, int w,
                                 char name[96])
{
    *u = use_new(shape, n, h, w);
    run_strips(u, w);
    name_of(name, u);
    return u->logits;
}

static void test_strips(const struct rs_unet_shape *shape, int n, int h, int w)
{
    static const int widths[] = {1, 3, 4, 7, 8, 13, 16, 20, 32, 50};
    char name[96];
    int differ = 0;
    struct use u;
    struct rs_map whole = start_whole(&u, shape, n, h, w, name);
    check_twin(&u, name);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        if (widths[i] >= w || widths[i] < w / 16)
            continue;
        u.logits = map_like(&whole);
        run_strips(&u, widths[i]);
        differ += !map_same(&u.logits, &whole);
        map_free(u.logits);
    }
    u.logits = whole;
    ok(differ == 0 && u.wrong == 0, "%s: the same bits in strips of any width", name);
    use_free(&u);
}

/* On the pool's threads. */
static void test_parts(const struct rs_unet_shape *shape, int n, int h, int w)
{
    static const int parts[] = {2, 3, 16};
    char name[96];
    int differ = 0;
    struct use u;
    struct rs_map whole = start_whole(&u, shape, n, h, w, name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (int width = w; width > w / 4; width /= 3) {
            u.parts = parts[i];
            u.logits = map_like(&whole);
            run_strips(&u, width);
            differ += !map_same(&u.logits, &whole);
            map_free(u.logits);
        }
    u.logits = whole;
    ok(differ == 0 && u.wrong == 0, "%s, %d threads: the same bits in any number of parts", name,
       rs_threads());
    use_free(&u);
}

static int multiple_up_to(int multiple, int most)
{
    return multiple * (1 + (int)rs_rng_below(&rng, (uint64_t)(most / multiple)));
}

static void test_all_strips(void)
{
    for (int i = 0; i < 3 * SHAPES; i++) {
        const struct rs_unet_shape *shape = &shapes[i % SHAPES];
        int multiple = rs_unet_multiple(shape);
        test_strips(shape, 1 + i % 3, multiple_up_to(multiple, 48), multiple_up_to(multiple, 64));
    }
}

/* So tall or wide that rows come, and are forgotten, many times; a strip of few columns takes more rows at once. */
static void test_long(void)
{
    test_strips(&shapes[0], 1, 2, 2);
    test_strips(&shapes[0], 3, 500, 30);
    test_strips(&shapes[1], 1, 460, 64);
    test_strips(&shapes[1], 2, 1200, 8);
    test_strips(&shapes[1], 1, 36, 800);
    test_strips(&shapes[2], 12, 120, 8);
    test_strips(&shapes[3], 1, 4 * 301, 20);
    test_strips(&shapes[3], 2, 68, 400);
    test_strips(&shapes[4], 3, 8 * 90, 24);
    test_strips(&shapes[6], 6, 16 * 70, 16);
    test_strips(&shapes[8], 1, 460, 64);
    test_strips(&shapes[9], 2, 8 * 60, 24);
    test_strips(&shapes[10], 1, 460, 64);
    test_strips(&shapes[12], 1, 460, 64);
    test_strips(&shapes[13], 2, 8 * 60, 24);
    test_strips(&shapes[15], 1, 460, 64);
    test_strips(&shapes[16], 2, 8 * 60, 24);
}

/* One flow, another photograph between, which must leave nothing. */
static void test_again(const struct rs_unet_shape *shape, int n, int h, int w)
{
    struct use u = use_new(shape, n, h, w);
    struct rs_map first = u.logits, x = u.x;
    struct rs_flow_strip strip = {n, w, h, 0, w, 1};
    struct rs_flow *flow = rs_flow_new(&u.folded, &strip);
    run_strip(&u, flow, 0, w);
    u.x = map_like(&x);
    u.logits = map_like(&first);
    run_strip(&u, flow, 0, w);
    map_free(u.x);
    u.x = x;
    run_strip(&u, flow, 0, w);
    ok(map_same(&u.logits, &first) && u.wrong == 0, "%d of %d x %d again, after one of NaN: the same bits", n,
       w, h);
    rs_flow_free(flow);
    map_free(first);
    use_free(&u);
}

/* --- Memory --- */

/* Of all mappings, which an emulator, too, tells of the program and not of itself. */
static long virtual_bytes(void)
{
    unsigned long from, to, bytes = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && fscanf(file, "%lx-%lx%*[^\n]", &from, &to) == 2)
        bytes += to - from;
    if (file)
        fclose(file);
    return (long)bytes;
}

/* A flow's own memory is a mapping; the first flow has left the heap what the second needs of it. */
static bool takes_what_it_said(const struct rs_folded *folded, const struct rs_flow_strip *strip,
                               size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    rs_flow_free(rs_flow_new(folded, strip));
    long before = virtual_bytes();
    struct rs_flow *flow = rs_flow_new(folded, strip);
    long after = virtual_bytes();
    rs_flow_free(flow);
    return before > 0 && (size_t)(after - before) == (bytes + page - 1) / page * page &&
           virtual_bytes() == before;
}

static void test_taken(const struct rs_folded *folded, const struct rs_flow_strip *strip)
{
    size_t bytes = rs_flow_bytes(folded, strip);
    const char *name = "a strip takes the bytes that were said, and gives them back";
    const char *checker = getenv("CHECKER"); /* set by tests/checked */
    if (checker && (!strcmp(checker, "valgrind") || !strcmp(checker, "tsan")))
        skip("the checker maps memory of its own", name);
    else
        ok(takes_what_it_said(folded, strip, bytes), "%s: columns %d to %d of %d x %d, %zu", name,
           strip->from, strip->to, strip->width, strip->height, bytes);
}

static size_t bytes_of(const struct rs_folded *folded, int width, int height, int from, int to)
{
    struct rs_flow_strip strip = {1, width, height, from, to, 1};
    return rs_flow_bytes(folded, &strip);
}

static void test_bytes(const struct rs_unet_shape *shape)
{
    struct rs_unet net;
    struct rs_folded folded;
    draw_net(&net, shape);
    rs_folded_make(&folded, &net);
    test_taken(&folded, &(struct rs_flow_strip){1, 512, 512, 0, 512, 1});
    test_taken(&folded, &(struct rs_flow_strip){2, 512, 256, 64, 128, 3});
    size_t at[4];
    for (int i = 0; i < 4; i++)
        at[i] = bytes_of(&folded, 1024 << i, 2048, 0, 1024 << i);
    double growth = (double)(at[3] - at[2]) / (double)(at[2] - at[1]);
    ok(at[0] < at[1] && at[1] < at[2], "memory grows with the width: %zu, %zu, %zu", at[0], at[1], at[2]);
    near(growth, 2, .02, "  in proportion");
    ok(bytes_of(&folded, 1024, 4096, 0, 1024) == at[0] && bytes_of(&folded, 1024, 65536, 0, 1024) == at[0],
       "  and not with the height");
    ok(bytes_of(&folded, 4096, 2048, 1024, 2048) < at[2] / 2, "  a strip takes less than the whole");
    rs_folded_free(&folded);
    rs_unet_free(&net);
}

/* --- Batches of patches --- */

/* Logits of batches of 7, 1 and 5 patches. */
static struct rs_map evaluate(const struct use *u, int group)
{
    static const int batches[] = {7, 1, 5};
    struct rs_map logits = map_unwritten(13, u->x.h, u->x.w, 1);
    struct rs_evaluator *evaluator = rs_evaluator_new(&u->net, 7, u->x.h, u->x.w, group);
    for (int i = 0, first = 0; i < 3; first += batches[i++]) {
        struct rs_map x = rs_map_images(u->x, first, batches[i]);
        map_copy(rs_evaluator_input(evaluator), &x);
        struct rs_map found = rs_evaluator_run(evaluator, batches[i]);
        if (found.n == batches[i])
            map_copy(rs_map_images(logits, first, batches[i]), &found);
    }
    rs_evaluator_free(evaluator);
    return logits;
}

/* By one flow of all of them, then by evaluators. */
static void test_evaluator(int threads)
{
    for (int i = 0; i < SHAPES; i++) {
        char name[96];
        int multiple = rs_unet_multiple(&shapes[i]), differ = 0;
        struct use u = use_new(&shapes[i], 13, 3 * multiple, 5 * multiple);
        run_strips(&u, u.x.w);
        for (int group = 1; group <= 9; group++) {
            struct rs_map logits = evaluate(&u, group);
            differ += !map_same(&logits, &u.logits);
            map_free(logits);
        }
        name_of(name, &u);
        ok(differ == 0, "%s: the same bits in groups of 1 to 9, %d threads", name, threads);
        use_free(&u);
    }
}

int main(void)
{
    rng = rs_rng_at(1, "test", 0, 0);
    no_error(rs_kernel_start(), "a kernel");
    test_all_strips();
    test_long();
    test_again(&shapes[1], 2, 800, 28);
    test_again(&shapes[3], 1, 44, 36);
    test_again(&shapes[8], 2, 800, 28);
    test_again(&shapes[13], 1, 800, 24);
    test_again(&shapes[16], 1, 800, 24);
    test_bytes(&shapes[1]);
    test_bytes(&shapes[3]);
    test_bytes(&shapes[8]);
    test_bytes(&shapes[13]);
    test_bytes(&shapes[16]);
    for (int threads = 1; threads <= 4; threads++) {
        no_error(rs_threads_start(threads), "%d threads", threads);
        test_evaluator(threads);
        test_parts(&shapes[1], 1, 60, 40);
        test_parts(&shapes[3], 2, 44, 60);
        test_parts(&shapes[8], 3, 28, 36);
    }
    return done();
}
