#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/thread.h"
#include "tap.h"

static void test_numbers(void)
{
    int64_t i = 0, list[3];
    int count = 0;
    double d = 0;
    ok(!rs_parse_int("-12", -20, 5, &i) && i == -12, "a negative number");
    const char *bad[] = {"", "-", "+1", " 1", "1 ", "1x", "0x10", "21", "99999999999999999999"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        error_has(rs_parse_int(bad[k], 0, 20, &i), "whole number", "'%s' is refused", bad[k]);
    ok(i == -12, "a refused number changes nothing");
    ok(!rs_parse_real("2.5e-1", 0, 1, &d) && d == .25, "a real number");
    const char *unreal[] = {"", "nan", "inf", "1e999", "0x1p3", " 1", "2", "1,5"};
    for (size_t k = 0; k < sizeof unreal / sizeof *unreal; k++)
        error_has(rs_parse_real(unreal[k], 0, 1, &d), "number", "'%s' is refused", unreal[k]);
    ok(!rs_parse_list("32,64,128", 1, 999, 3, list, &count) && count == 3 && list[2] == 128, "a list");
    double pair[2];
    ok(!rs_parse_reals(".8,1.25", 0, 2, 2, pair) && pair[0] == .8 && pair[1] == 1.25, "two numbers");
    error_has(rs_parse_reals("1", 0, 2, 2, pair), "too few numbers: 2", "one of two numbers");
    error_has(rs_parse_reals("1,2,", 0, 2, 2, pair), "too many numbers: 2", "two numbers with an open end");
    error_has(rs_parse_reals("1,2.1", 0, 2, 2, pair), "'2.1' is not a number from 0 to 2",
              "one that is too large");
    error_has(rs_parse_reals(",2", 0, 2, 2, pair), "'' is not a number", "one that is none");
    error_has(rs_parse_reals("1,", 0, 2, 2, pair), "'' is not a number", "or the other");
    error_has(rs_parse_reals("1,1.00000000000000000000000000000000", 0, 2, 2, pair), "is not a number",
              "one of more digits than any has");
    error_has(rs_parse_list("1,2,3,4", 1, 9, 3, list, &count), "list", "a list that is too long");
    error_has(rs_parse_list("1,,3", 1, 9, 3, list, &count), "whole number", "a list with a hole");
    error_has(rs_parse_list("1,2,", 1, 9, 3, list, &count), "whole number", "a list with an open end");
}

static void test_printed(void)
{
    const struct {
        double value;
        const char *text;
    } cases[] = {{.9, "0.9"}, {.001, "0.001"}, {1e-8, "1e-08"}, {.1 + .2, "0.30000000000000004"}, {0, "0"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char text[32];
        rs_print_real(cases[k].value, text);
        ok(!strcmp(text, cases[k].text), "%s is printed so", cases[k].text);
    }
}

static void test_errors(void)
{
    error_has(rs_error_at("here", rs_error("line\nbreak")), "here: line?break",
              "one line, control characters shown");
    const char *shown = rs_error("%s", "\x1b[1m \xc2\x9b[1m \xc2\x7f \xc2\xa0 \xc3\x9b \xc2");
    ok(!strcmp(shown, "?[1m ?[1m \xc2? \xc2\xa0 \xc3\x9b \xc2"),
       "those of Unicode, too; letters are none: %s", shown);
    ok(!rs_error_at("here", NULL), "no error stays none");
    ok(rs_error_at("here", rs_error_closed) == rs_error_closed, "a closed output passes unchanged");
}

static void test_random(void)
{
    struct rs_rng a = rs_rng_at(1, "rs-x", 2, 3), b = rs_rng_at(1, "rs-x", 2, 3);
    ok(rs_rng_next(&a) == rs_rng_next(&b), "the same key, the same number");
    uint64_t first[5] = {rs_rng_at(1, "rs-x", 2, 3).state, rs_rng_at(2, "rs-x", 2, 3).state,
                         rs_rng_at(1, "rs-y", 2, 3).state, rs_rng_at(1, "rs-x", 3, 3).state,
                         rs_rng_at(1, "rs-x", 2, 4).state};
    bool differ = true;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            differ &= first[i] != first[j];
    ok(differ, "each part of the key counts");
    enum { DRAWS = 100000 };
    double sum = 0, squares = 0, mean = 0;
    int faces[6] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double normal = rs_rng_normal(&a);
        sum += normal;
        squares += normal * normal;
        mean += rs_rng_uniform(&a) / DRAWS;
        faces[rs_rng_below(&a, 6)]++;
    }
    near(sum / DRAWS, 0, .02, "mean of normal numbers");
    near(squares / DRAWS, 1, .02, "their variance");
    near(mean, .5, .005, "mean of uniform numbers");
    for (int i = 0; i < 6; i++)
        near(faces[i], DRAWS / 6., 600, "face %d of a die", i + 1);
    uint32_t order[100], seen[100] = {0};
    for (uint32_t i = 0; i < 100; i++)
        order[i] = i;
    rs_rng_shuffle(&a, order, 100);
    int fixed = 0, once = 0;
    for (uint32_t i = 0; i < 100; i++) {
        fixed += order[i] == i;
        seen[order[i]]++;
    }
    for (int i = 0; i < 100; i++)
        once += seen[i] == 1;
    ok(once == 100 && fixed < 10, "a shuffle is a permutation, and moves things");
}

struct counts {
    int runs[1000];
    atomic_int busy[4], wrong; /* busy: how many shards a worker is at */
};

static void add_up(void *context, int shard, int worker)
{
    struct counts *counts = context;
    if (worker < 0 || worker >= 4) {
        atomic_fetch_add(&counts->wrong, 1);
        return;
    }
    atomic_fetch_add(&counts->wrong, atomic_fetch_add(&counts->busy[worker], 1) > 0);
    counts->runs[shard]++;
    atomic_fetch_sub(&counts->busy[worker], 1);
}

static void test_threads(void)
{
    static struct counts counts;
    int once = 0;
    no_error(rs_threads_start(4), "four threads start");
    ok(rs_threads() == 4, "and are counted");
    for (int round = 0; round < 200; round++)
        rs_parallel(add_up, &counts, 1000);
    for (int i = 0; i < 1000; i++)
        once += counts.runs[i] == 200;
    ok(once == 1000, "every shard runs once a round");
    ok(counts.wrong == 0, "  in a worker of the four, which is at no other");
}

static void test_arena(void)
{
    struct rs_arena arena = {0};
    ok(!rs_arena_take(&arena, 10, 4) && !rs_arena_take(&arena, 3, 8), "counting hands out nothing");
    rs_arena_reserve(&arena);
    char *a = rs_arena_take(&arena, 10, 4), *b = rs_arena_take(&arena, 3, 8);
    ok(a && b == a + 64 && (uintptr_t)a % 64 == 0, "arrays are aligned and apart");
    ok(arena.used == arena.size, "the counted size is the used size");
    rs_arena_free(&arena);
}

/* How many pages of the arena are not in memory. */
static size_t missing(const struct rs_arena *arena)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (arena->size + page - 1) / page, found = 0;
    unsigned char *in_memory = rs_alloc(pages, 1);
    ok(!mincore(arena->base, arena->size, in_memory), "an arena of %zu bytes", arena->size);
    for (size_t i = 0; i < pages; i++)
        found += in_memory[i] & 1;
    free(in_memory);
    return pages - found;
}

static void test_touch(void)
{
    for (size_t bytes = 1; bytes < 20u << 20; bytes = bytes * 7 + 3) {
        struct rs_arena arena = {0};
        rs_arena_take(&arena, bytes, 1);
        rs_arena_reserve(&arena);
        rs_arena_touch(&arena);
        ok(missing(&arena) == 0, "is in memory once it is touched");
        rs_arena_free(&arena);
    }
}

static void test_sha256(void)
{
    /* The examples of FIPS 180-4 (csrc.nist.gov, "SHA256.pdf", and CAVP's empty message) */
    const char *const messages[] = {"", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"};
    const char *const digests[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"};
    char text[RS_SHA256_TEXT];
    for (int i = 0; i < 3; i++) {
        struct rs_sha256 sha = rs_sha256_start();
        rs_sha256_add(&sha, messages[i], strlen(messages[i]));
        rs_sha256_end(&sha, text);
        ok(!strcmp(text, digests[i]), "SHA-256 of '%s'", messages[i]);
    }
    struct rs_sha256 sha = rs_sha256_start();
    char part[37];
    memset(part, 'a', sizeof part);
    for (size_t left = 1000000, taken; left; left -= taken) {
        taken = left < sizeof part ? left : sizeof part;
        rs_sha256_add(&sha, part, taken);
    }
    rs_sha256_end(&sha, text);
    ok(!strcmp(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
       "SHA-256 of a million letters, in parts");
}

int main(void)
{
    test_sha256();
    test_numbers();
    test_printed();
    test_errors();
    test_random();
    test_threads();
    test_arena();
    test_touch();
    return done();
}
