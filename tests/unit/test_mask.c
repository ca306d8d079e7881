#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "format/pam.h"
#include "measure/histogram.h"
#include "picture/components.h"
#include "tap.h"
#include "task/mask.h"

/* --- Components against a flood --- */

struct picture {
    int width, height;
    uint8_t *marks; /* [height][width] */
};

/* The pixels that are reached from `at`, into `found`, each once. */
static int flood(const struct picture *p, int at, bool *seen, int *found)
{
    int count = 0;
    found[count++] = at;
    seen[at] = true;
    for (int done_with = 0; done_with < count; done_with++)
        for (int y = -1; y <= 1; y++)
            for (int x = -1; x <= 1; x++) {
                int column = found[done_with] % p->width + x, row = found[done_with] / p->width + y;
                int next = row * p->width + column;
                if (column < 0 || row < 0 || column >= p->width || row >= p->height || seen[next] ||
                    !p->marks[next])
                    continue;
                seen[next] = true;
                found[count++] = next;
            }
    return count;
}

static uint8_t *keep_twin(const struct picture *p, uint32_t least)
{
    size_t pixels = (size_t)p->width * (size_t)p->height;
    uint8_t *kept = rs_alloc(pixels, 1);
    bool *seen = rs_alloc(pixels, sizeof *seen);
    int *found = rs_alloc(pixels, sizeof *found);
    for (int i = 0; i < (int)pixels; i++) {
        if (seen[i] || !p->marks[i])
            continue;
        int count = flood(p, i, seen, found);
        bool strong = false;
        for (int k = 0; k < count; k++)
            strong |= p->marks[found[k]] == RS_STRONG;
        for (int k = 0; k < count && strong && (uint32_t)count >= least; k++)
            kept[found[k]] = p->marks[found[k]];
    }
    free(seen);
    free(found);
    return kept;
}

static uint8_t *keep(const struct picture *p, uint32_t least)
{
    size_t width = (size_t)p->width, pixels = width * (size_t)p->height;
    uint8_t *kept = rs_alloc(pixels, 1);
    memcpy(kept, p->marks, pixels);
    struct rs_components *components = rs_components_start(p->width);
    for (int row = 0; row < p->height; row++)
        rs_components_add(components, kept + width * (size_t)row);
    for (int row = 0; row < p->height; row++)
        rs_components_keep(components, kept + width * (size_t)row, least);
    rs_components_free(components);
    return kept;
}

static bool agrees(const struct picture *p, uint32_t least)
{
    uint8_t *found = keep(p, least), *wanted = keep_twin(p, least);
    bool same = !memcmp(found, wanted, (size_t)p->width * (size_t)p->height);
    free(found);
    free(wanted);
    return same;
}

static void test_noise(void)
{
    const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {2, 31}, {33, 20}, {64, 64}, {101, 57}};
    struct rs_rng rng = rs_rng_at(1, "test", 0, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct picture p = {.width = sizes[i][0], .height = sizes[i][1]};
        int pixels = p.width * p.height, wrong = 0;
        p.marks = rs_alloc((size_t)pixels, 1);
        for (int trial = 0; trial < 60;
             trial++) { /* from one pixel in ten to nine, around where they percolate */
            for (int k = 0; k < pixels; k++)
                p.marks[k] = (int)rs_rng_below(&rng, 100) < 10 + trial * 80 / 60
                                 ? RS_WEAK + !rs_rng_below(&rng, 9)
                                 : RS_UNMARKED;
            for (uint32_t least = 0; least < 20; least += 3)
                wrong += !agrees(&p, least);
        }
        ok(wrong == 0, "noise of %d x %d, 60 densities: as a flood has it", p.width, p.height);
        free(p.marks);
    }
}

/* One component that unites late: a comb from below, and a spiral. */
static void test_late(void)
{
    enum { SIDE = 65 };
    uint8_t comb[SIDE * SIDE], spiral[SIDE * SIDE] = {0};
    for (int i = 0; i < SIDE * SIDE; i++)
        comb[i] = i % SIDE % 2 == 0 || i / SIDE == SIDE - 1 ? RS_WEAK : RS_UNMARKED;
    comb[SIDE - 1] = RS_STRONG;
    int x = 0, y = 0, dx = 1, dy = 0, count = 0;
    for (int length = SIDE - 1; length > 0; length -= 2)
        for (int side = 0; side < 4; side++) {
            for (int k = 0; k < length - (side == 3 ? 2 : 0); k++, x += dx, y += dy, count++)
                spiral[y * SIDE + x] = RS_WEAK;
            int turned = dx;
            dx = -dy;
            dy = turned;
        }
    spiral[y * SIDE + x] = RS_STRONG;
    uint8_t *kept = keep(&(struct picture){SIDE, SIDE, comb}, SIDE * (SIDE / 2 + 1) + SIDE / 2);
    ok(!memcmp(kept, comb, sizeof comb),
       "a comb: one strong pixel keeps all teeth, and they are all counted");
    free(kept);
    kept = keep(&(struct picture){SIDE, SIDE, comb}, SIDE * (SIDE / 2 + 1) + SIDE / 2 + 1);
    ok(!memchr(kept, RS_STRONG, sizeof comb) && !memchr(kept, RS_WEAK, sizeof comb),
       "one pixel more is wanted");
    free(kept);
    ok(agrees(&(struct picture){SIDE, SIDE, spiral}, 2), "a spiral of %d pixels", count);
}

/* --- Masks against scipy and scikit-image --- */

static struct rs_image read_image(FILE *stream, const char *name)
{
    struct rs_image image = {0};
    bool more;
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &image, &more), "%s", name);
    return image;
}

static int differing(const struct rs_image *found, const struct rs_image *wanted)
{
    int count = 0;
    for (int i = 0; i < found->width * found->height; i++)
        count += found->samples[i] != (wanted->samples[i] ? found->maxval : 0);
    return count;
}

static void test_figures(void)
{
    static const struct rs_mask_options cases[] = {{.threshold = .5, .low = 1},
                                                   {.threshold = .62, .low = .45},
                                                   {.threshold = .62, .low = .45, .least = 25},
                                                   {.threshold = .5, .low = 1, .least = 12},
                                                   {.otsu = true, .low = 1},
                                                   {.otsu = true, .low = .4, .least = 40},
                                                   {.threshold = 0, .low = 1},
                                                   {.threshold = 1, .low = 1}};
    size_t size;
    char *data = test_data("masks.pgm", &size);
    FILE *stream = fmemopen(data, size, "rb");
    struct rs_image map = read_image(stream, "the map"), mask = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rs_image wanted = read_image(stream, "scipy's mask");
        uint64_t marked, count = 0;
        rs_image_copy(&mask, &map, false);
        no_error(rs_mask_image(&cases[i], &mask, &marked), "case %zu", i);
        for (int k = 0; k < wanted.width * wanted.height; k++)
            count += wanted.samples[k];
        ok(differing(&mask, &wanted) == 0 && marked == count, "case %zu: %ju vessel pixels, all the same", i,
           (uintmax_t)count);
        rs_image_free(&wanted);
    }
    fclose(stream);
    free(data);
    rs_image_free(&map);
    rs_image_free(&mask);
}

/* Outside the field of view nothing counts: not as vessel, not as a way from pixel to pixel, not for Otsu. */
static void test_field_of_view(void)
{
    enum { WIDTH = 7 };
    const struct rs_image like = {.subject = RS_PROB, .has_vessel = true, .has_fov = true, .maxval = 100};
    struct rs_image map = {0};
    rs_image_shape(&map, &like, WIDTH, 1, false);
    const uint16_t rows[][3 * WIDTH] = {
        {90, 7, 100, 60, 8, 100, 60, 9, 0, 60, 10, 100, 99, 11, 0, 10, 12, 100, 60, 13, 51},
        {100, 7, 100, 100, 8, 100, 0, 9, 0, 0, 10, 100, 0, 11, 0, 0, 12, 100, 0, 13, 51}};
    uint64_t marked;
    memcpy(map.samples, rows[0], sizeof rows[0]);
    no_error(rs_mask_image(&(struct rs_mask_options){.threshold = .8, .low = .5}, &map, &marked), "a mask");
    ok(!memcmp(map.samples, rows[1], sizeof rows[1]) && marked == 2,
       "is 0 outside, and connects nothing there");
    memcpy(map.samples, rows[0], sizeof rows[0]);
    no_error(rs_mask_image(&(struct rs_mask_options){.otsu = true, .low = 1}, &map, &marked), "Otsu's");
    ok(marked == 4, "parts 10 from 60 and 90, as there are inside: %ju", (uintmax_t)marked);
    for (int i = 0; i < WIDTH; i++)
        map.samples[3 * i] = (uint16_t)(i == 2 ? 0 : 50);
    no_error(rs_mask_image(&(struct rs_mask_options){.otsu = true, .low = 1}, &map, &marked), "one level");
    ok(marked == 0, "has no upper class");
    rs_image_free(&map);
}

static void test_kinds(void)
{
    const struct rs_mask_options options = {.threshold = .5, .low = 1};
    uint64_t marked;
    for (int kind = RS_GRAYSCALE; kind <= RS_PROB; kind++)
        for (int planes = 0; planes < 4; planes++) {
            struct rs_image image = {0}, like = {.subject = (enum rs_subject)kind, .maxval = 1};
            like.has_vessel = planes & 1;
            like.has_fov = planes & 2;
            char name[RS_KIND_SIZE];
            rs_image_kind(&like, name);
            rs_image_shape(&image, &like, 3, 2, false);
            const char *error = rs_mask_image(&options, &image, &marked);
            if (kind == RS_PROB || (kind == RS_GRAYSCALE && !planes))
                no_error(error, "%s is a map", name);
            else
                error_has(error, "a map of probability is wanted", "%s is none", name);
            rs_image_free(&image);
        }
}

/* The first level, by trying all. */
static void test_levels(void)
{
    const double thresholds[] = {0, 1e-9, .25, .2501, 1. / 3, .5, .999, 1};
    int wrong = 0;
    for (int levels = 2; levels < 300; levels++)
        for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
            int first = 0;
            while (first < levels && rs_probability(first, levels) < thresholds[i])
                first++;
            wrong += first != rs_first_level(levels, thresholds[i]);
        }
    ok(wrong == 0, "the first level that a threshold marks");
}

int main(void)
{
    test_noise();
    test_late();
    test_figures();
    test_field_of_view();
    test_kinds();
    test_levels();
    return done();
}
